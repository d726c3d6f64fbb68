"""Whatever is asked of the centre, by whomever: it answers, and never with a fault of its own (5xx).

Schemathesis makes the requests from the OpenAPI document: fitting and not, over a real socket.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from app.central.database import CentralDatabase
from app.central.enrolment import create_client
from app.central.openapi import document
from app.central.server import CentralServer
from app.central.settings import CentralSettings
from tests.central.world import ACT, SITE, World

SCHEMA = schemathesis.openapi.from_dict(document())
OPERATIONS = [found.ok() for found in SCHEMA.get_all_operations()]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[World, str]]:
    folder: Path = tmp_path_factory.mktemp("centre")
    db = CentralDatabase.open(f"sqlite:///{folder / 'central.db'}")
    world = World(db, folder, settings=CentralSettings(burst=10**9))
    world.load()
    server = CentralServer(world.app)
    server.start()
    yield world, server.url
    server.stop()
    db.close()


@pytest.fixture(params=["a gate", "an administrator", "a stranger"])
def asker(request: pytest.FixtureRequest, served: tuple[World, str]) -> tuple[str, str]:
    """A token and a station's id."""
    world, _ = served
    station = world.station()
    if request.param == "an administrator":
        admin = create_client(world.db, world.clock, "本社", "administrator", ACT)
        return world.token(admin.client_id, admin.client_secret).json()["access_token"], station.id
    return (station.access_token if request.param == "a gate" else ""), station.id


def test_no_request_makes_the_centre_stumble(served: tuple[World, str], asker: tuple[str, str]) -> None:
    (_, url), (token, station_id) = served, asker
    answers: set[int] = set()

    @settings(
        max_examples=250,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        database=None,
        phases=(Phase.generate,),
    )
    @given(data=st.data())
    def ask(data: st.DataObject) -> None:
        operation = data.draw(st.sampled_from(OPERATIONS))
        mode = data.draw(st.sampled_from(list(schemathesis.GenerationMode)))
        case = data.draw(operation.as_strategy(generation_mode=mode))
        if data.draw(st.booleans()):  # somebody who knows the site, and his own name
            for name, value in (("site_id", SITE), ("station_id", station_id)):
                if name in (case.path_parameters or {}):
                    case.path_parameters[name] = value
        answer = case.call(base_url=url, headers={"Authorization": f"Bearer {token}"} if token else {})
        answers.add(answer.status_code)
        assert answer.status_code < 500, f"{operation.label}: {answer.status_code} {answer.text}"

    ask()
    assert {400, 404, 422} & answers
