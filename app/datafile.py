"""The one loader of data files that people write: TOML or JSON, checked against a JSON Schema of `resources/schemas`.

The only file that imports jsonschema.
"""

from __future__ import annotations

import json
import tomllib
from functools import lru_cache
from pathlib import Path
from typing import Any

import jsonschema

from app.errors import InputRefused
from app.resources import resource

MAX_BYTES = 64 * 1024 * 1024
"""A larger file is not one of ours."""
MAX_DEPTH = 32
"""Nor is one with more levels."""


def load(path: Path, schema: str | Path) -> dict[str, Any]:
    """Read `path` (.json: JSON, otherwise TOML) and check it against `resources/schemas/<schema>.schema.json`.

    A schema that the program does not carry is given by its path.

    Raises InputRefused naming file and place: `file.missing`, `file.not_text`, `file.syntax`, `file.invalid`.
    """
    return checked(parse(path), schema, str(path))


def parse(path: Path) -> dict[str, Any]:
    """Read a JSON or TOML file whose top level is a table. Raises InputRefused."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
        if len(data) > MAX_BYTES:
            raise InputRefused("file.too_large", str(path), limit=MAX_BYTES // 1024 // 1024)
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        raise InputRefused("file.not_text", f"{path}: byte {exc.start}") from exc
    except OSError as exc:
        raise InputRefused("file.missing", str(path), why=exc.strerror or "") from exc
    return parsed(text, str(path), as_json=path.suffix.lower() == ".json")


def parsed(text: str, where: str, *, as_json: bool = False) -> dict[str, Any]:
    """`parse` for a text that was read already. Raises InputRefused."""
    try:
        value = json.loads(text, object_pairs_hook=_once) if as_json else tomllib.loads(text)
        _check_values(value, MAX_DEPTH)
    except (ValueError, RecursionError) as exc:  # both decoders' errors are ValueErrors, and so is too long a number
        raise InputRefused("file.syntax", where, why=str(exc)) from exc
    if not isinstance(value, dict):
        raise InputRefused("file.invalid", f"{where}: $", why="not an object")
    return value


def checked(value: dict[str, Any], schema: str | Path, where: str) -> dict[str, Any]:
    """Check a value already read; `where` names its file in the error. Raises InputRefused."""
    problem = jsonschema.exceptions.best_match(_validator(schema).iter_errors(value))
    if problem is not None:
        raise _refusal(problem, where)
    return value


def faults(value: dict[str, Any], schema: str, where: str) -> list[InputRefused]:
    """Everything that `checked` could refuse, in the order of the places."""
    return [_refusal(problem, where) for problem in sorted(_validator(schema).iter_errors(value), key=_place)]


def _place(problem: jsonschema.ValidationError) -> str:
    return str(problem.json_path)


def _refusal(problem: jsonschema.ValidationError, where: str) -> InputRefused:
    return InputRefused("file.invalid", f"{where}: {problem.json_path}", why=_why(problem))


_WORDS = {
    "type": "must be of type {}",
    "pattern": "must look like {}",
    "minLength": "needs at least {} characters",
    "maxLength": "has more than {} characters",
    "minimum": "must be at least {}",
    "maximum": "must be at most {}",
    "minItems": "needs at least {} items",
    "maxItems": "has more than {} items",
    "uniqueItems": "names something twice",
    "enum": "must be one of {}",
    "const": "must be {}",
}


def _why(problem: jsonschema.ValidationError) -> str:
    """The rule that was broken, without the value: it may be a secret."""
    words = _WORDS.get(str(problem.validator))
    if words is None:  # 'required', 'additionalProperties' …: their texts hold names of fields alone
        return str(problem.message)[:300]
    return words.format(problem.validator_value)[:300]


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object whose keys stand there once. Raises ValueError: which one was meant is anybody's guess."""
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"the key {next(name for name in names if names.count(name) > 1)!r} stands there twice")
    return found


def _check_values(value: Any, depth: int) -> None:
    r"""No nesting that later steps would drown in; no half a character (JSON's \ud800), which nothing can store.

    Raises ValueError.
    """
    if depth < 0:
        raise ValueError("nested too deeply")
    match value:
        case str() if not value.isascii():
            if any("\ud800" <= letter <= "\udfff" for letter in value):
                raise ValueError("half a character (a lone surrogate) in a text")
        case dict():
            for key, inner in value.items():
                _check_values(key, depth)
                _check_values(inner, depth - 1)
        case list():
            for inner in value:
                _check_values(inner, depth - 1)


@lru_cache(maxsize=16)
def _validator(schema: str | Path) -> jsonschema.Draft202012Validator:
    file = schema if isinstance(schema, Path) else resource("schemas", f"{schema}.schema.json")
    text = file.read_text(encoding="utf-8")
    return jsonschema.Draft202012Validator(json.loads(text))
