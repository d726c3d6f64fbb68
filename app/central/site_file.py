"""Site files (`docs/site-file.md`): read, checked in shape and references, ids in their one form."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

from app import codec, datafile
from app.central.roster_items import Fields, ItemRefused, Key, is_day, whole
from app.central.roster_rules import ID_FORMS, REFERENCES, bad_text, tree_misfits
from app.domain import ids
from app.domain.site import Site
from app.errors import InputRefused

KINDS: Mapping[str, str] = {
    "companies": "company",
    "contracts": "contract",
    "workers": "worker",
    "assignments": "assignment",
    "cards": "card",
    "occupations": "occupation",
    "roles": "role",
    "operators": "operator",
    "calendar": "calendar",
    "targets": "target",
}
"""Lists of a site file and the kind of their items."""


@dataclass(frozen=True, slots=True)
class SiteFile:
    """A site file that is right in itself. `places`: where each item stands in the file."""

    site_id: str
    site: Fields
    items: Mapping[Key, Fields]
    places: Mapping[Key, str]


def read_site_file(path: Path) -> SiteFile:
    """Read a site file (.json: JSON, otherwise TOML).

    Raises InputRefused: `central.site_file_invalid` with `FILE: $.workers[3].id`, or datafile's for what is no such
    file at all. References and the contract tree are looked at by `misfits`, since they may lead to what the centre
    has already.
    """
    value = _plain(datafile.parse(path))
    try:
        datafile.checked(value, "site-file", str(path))
    except InputRefused as exc:
        raise InputRefused("central.site_file_invalid", exc.where, **exc.values) from exc

    def refuse(place: str, why: str) -> InputRefused:
        return InputRefused("central.site_file_invalid", f"{path}: {place}", why=why)

    site_id, site = _site(value["site"], refuse)
    items: dict[Key, Fields] = {}
    places: dict[Key, str] = {}
    for name, kind in KINDS.items():
        for number, raw in enumerate(value.get(name, ())):
            place = f"$.{name}[{number}]"
            try:
                normal = _normal(kind, raw)
                item_id = normal.pop("id")
                fields = whole(kind, item_id, normal)
            except ItemRefused as exc:
                where, why = exc.args
                raise refuse(f"{place}.{where}".rstrip("."), why) from exc
            if (kind, item_id) in items:
                raise refuse(f"{place}.id", f"{item_id} stands at {places[kind, item_id]} already")
            items[kind, item_id] = fields
            places[kind, item_id] = place
    return SiteFile(site_id, site, items, places)


def misfits(file: SiteFile, known: Mapping[Key, Fields]) -> Iterator[tuple[str, str]]:
    """References that lead nowhere, and contracts that make no tree, in the file and in `known` (what else will be
    there): place and reason.
    """
    everything = {**known, **file.items}
    for (kind, item_id), values in everything.items():
        for name, target in REFERENCES.get(kind, {}).items():
            wanted = values.get(name)
            if wanted is not None and (target, wanted) not in everything:
                yield f"{_place(file, (kind, item_id))}.{name}", f"there is no {target} {wanted}"
    contracts = {item_id: values for (kind, item_id), values in everything.items() if kind == "contract"}
    for misfit in tree_misfits(contracts, {item_id for kind, item_id in file.items if kind == "contract"}):
        yield f"{_place(file, ('contract', misfit.contract_id))}.{misfit.field}", misfit.why


def _place(file: SiteFile, key: Key) -> str:
    return file.places.get(key, f"{key[0]} {key[1]} (not in the file)")


def _site(raw: Mapping[str, Any], refuse: Callable[[str, str], InputRefused]) -> tuple[str, Fields]:
    try:
        site_id = ids.site_id(raw["id"])
    except ids.InvalidId as exc:
        raise refuse("$.site.id", str(exc)) from exc
    if unfit := bad_text("name", raw["name"]):
        raise refuse("$.site.name", unfit)
    for name in ("opens_on", "closes_on"):
        if raw.get(name) is not None and not is_day(raw[name]):
            raise refuse(f"$.site.{name}", "expected a day YYYY-MM-DD from 1900 on")
    try:
        site: Fields = codec.decode(codec.encode(codec.convert({**raw, "id": site_id}, Site)), dict)
    except codec.DecodeError as exc:
        raise refuse("$.site", str(exc)) from exc
    del site["id"]
    return site_id, site


def _normal(kind: str, raw: Mapping[str, Any]) -> Fields:
    """The item with every id in its one form. Raises ItemRefused."""
    values = dict(raw)
    if kind == "calendar":
        values["day_kind"] = values.pop("kind")  # where items say their own kind, the name is taken
    forms = {name: ID_FORMS[target] for name, target in REFERENCES.get(kind, {}).items() if target in ID_FORMS}
    if kind in ID_FORMS:
        forms["id"] = ID_FORMS[kind]
    for name, form in forms.items():
        if values.get(name) is not None:
            try:
                values[name] = form(values[name])
            except ids.InvalidId as exc:
                raise ItemRefused(name, str(exc)) from exc
    return values


def _plain(value: Any) -> Any:
    """TOML's dates and times as text."""
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_plain(one) for one in value]
    if isinstance(value, time):
        return value.isoformat(timespec="minutes" if value.second == 0 == value.microsecond else "auto")
    if isinstance(value, datetime | date):
        return value.isoformat()
    return value
