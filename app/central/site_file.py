"""Site files (`docs/site-file.md`): read, checked in shape and references, ids in their one form."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

from app import codec, datafile
from app.central.roster_items import Fields, ItemRefused, Key, is_day, whole
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
REFERENCES: Mapping[str, Mapping[str, str]] = {
    "contract": {"company_id": "company", "parent_id": "contract"},
    "assignment": {"worker_id": "worker", "company_id": "company", "occupation": "occupation", "role": "role"},
    "card": {"worker_id": "worker"},
    "operator": {"worker_id": "worker"},
    "target": {"company_id": "company"},
}
"""Fields that name another item, and the kind of that item."""
_LOCAL = re.compile(r"(?=.*[A-Za-z])[0-9A-Za-z_-]{1,32}", re.ASCII)


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
    file at all. References are looked at by `dangling`, since they may lead to what the centre has already.
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


def dangling(file: SiteFile, known: Mapping[Key, Fields]) -> Iterator[tuple[str, str]]:
    """References that lead nowhere, in the file and in `known` (what else will be there): place and reason."""
    everything = {**known, **file.items}
    for (kind, item_id), values in everything.items():
        for name, target in REFERENCES.get(kind, {}).items():
            wanted = values.get(name)
            if wanted is not None and (target, wanted) not in everything:
                place = file.places.get((kind, item_id), f"{kind} {item_id} (not in the file)")
                yield f"{place}.{name}", f"there is no {target} {wanted}"


def _site(raw: Mapping[str, Any], refuse: Callable[[str, str], InputRefused]) -> tuple[str, Fields]:
    try:
        site_id = ids.site_id(raw["id"])
    except ids.InvalidId as exc:
        raise refuse("$.site.id", str(exc)) from exc
    for name in ("opens_on", "closes_on"):
        if raw.get(name) is not None and not is_day(raw[name]):
            raise refuse(f"$.site.{name}", "expected a day YYYY-MM-DD")
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
    forms = {name: _FORMS[target] for name, target in REFERENCES.get(kind, {}).items() if target in _FORMS}
    if kind in _FORMS:
        forms["id"] = _FORMS[kind]
    for name, form in forms.items():
        if values.get(name) is not None:
            try:
                values[name] = form(values[name])
            except ids.InvalidId as exc:
                raise ItemRefused(name, str(exc)) from exc
    return values


def _or_local(form: Callable[[str], str]) -> Callable[[str], str]:
    """Fourteen digits, or a local id: letters, digits, '-' and '_' with at least one letter, up to 32."""

    def read(text: str) -> str:
        plain = unicodedata.normalize("NFKC", text).strip()
        return plain if _LOCAL.fullmatch(plain) else form(text)

    return read


_FORMS: Mapping[str, Callable[[str], str]] = {
    "worker": _or_local(ids.worker_id),
    "company": _or_local(ids.company_id),
    "card": ids.card_key,
}


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
