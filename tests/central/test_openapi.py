"""The OpenAPI document: the file in `resources/` is what the program serves and does."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from app.central.calls import handlers
from app.central.openapi import document, text
from app.central.refusals import CODES
from app.resources import resource
from tests.central.world import SITE, World


@pytest.fixture
def url(tmp_path: Path) -> str:
    """SQLite alone: nothing here depends on the database."""
    return f"sqlite:///{tmp_path / 'central.db'}"


def test_the_file_is_up_to_date() -> None:
    held = resource("central-api.openapi.json").read_text(encoding="utf-8")
    assert held == text(), "python -m app.central.openapi > resources/central-api.openapi.json"


def test_it_is_served(world: World) -> None:
    assert world.call("GET", "/v1/openapi.json").json() == document()


def test_it_names_every_route_and_no_other() -> None:
    routes = {
        (path.replace(":str", ""), method.lower())
        for handler in handlers()
        for path in handler.paths
        for method in handler.http_methods
        if method not in ("OPTIONS", "HEAD")
    }
    assert routes == {(path, method) for path, calls in document()["paths"].items() for method in calls}


def schema_of(name: str) -> dict[str, Any]:
    whole = json.loads(json.dumps(document()["components"]).replace("#/components/schemas/", "#/$defs/"))
    return {"$ref": f"#/$defs/{name}", "$defs": whole["schemas"]}


def test_answers_fit_it(world: World) -> None:
    one, two = world.station(), world.station()
    events = [one.touch(), one.entry(), one.event("touch", {})]
    jsonschema.validate(one.push(events, one.chain_end).json(), schema_of("BatchAnswer"))
    for event in events[:2]:
        jsonschema.validate(event, schema_of("Event"))
    for path, name in (
        ("/v1/sites", "Page"),
        (f"/v1/sites/{SITE}/roster", "Page"),
        (f"/v1/sites/{SITE}/events", "FeedPage"),
        (f"/v1/sites/{SITE}/work-records", "WorkRecordPage"),
    ):
        jsonschema.validate(two.page(path), schema_of(name))
    jsonschema.validate(world.call("GET", "/nope").json(), schema_of("Problem"))
    assert set(schema_of("Problem")["$defs"]["Problem"]["properties"]["code"]["enum"]) == set(CODES)
