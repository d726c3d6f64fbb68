"""JSON Schema of the contract's dataclasses, for the OpenAPI document."""

from __future__ import annotations

import inspect
import types
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from enum import Enum
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

Schema = dict[str, Any]
_SCALARS: Mapping[type, Schema] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    bool: {"type": "boolean"},
    type(None): {"type": "null"},
}


class Schemas:
    """Collects named schemas; `overrides` adds keywords to a field: {"Name.field": {…}}."""

    def __init__(self, overrides: Mapping[str, Schema]) -> None:
        self.named: dict[str, Schema] = {}
        self._overrides = overrides
        self._unused = set(overrides)

    def ref(self, shape: type, name: str = "") -> Schema:
        """A reference to a dataclass's schema, which is made when it is not there yet."""
        name = name or shape.__name__
        if name not in self.named:
            self.named[name] = {}
            self.named[name] = self._object(shape, name)
        return {"$ref": f"#/components/schemas/{name}"}

    def finish(self) -> dict[str, Schema]:
        """All named schemas. Raises LookupError for an override that fits nothing."""
        if self._unused:
            raise LookupError(f"no such field: {sorted(self._unused)}")
        return dict(sorted(self.named.items()))

    def _object(self, shape: type, name: str) -> Schema:
        hints = get_type_hints(shape)
        properties: dict[str, Schema] = {}
        required = []
        for one in fields(shape):
            key = f"{name}.{one.name}"
            properties[one.name] = {**self._of(hints[one.name]), **self._overrides.get(key, {})}
            self._unused.discard(key)
            if one.default is MISSING and one.default_factory is MISSING:
                required.append(one.name)
        schema: Schema = {"type": "object", "description": inspect.getdoc(shape) or "", "properties": properties}
        return {**schema, "required": required} if required else schema

    def _of(self, hint: Any) -> Schema:
        origin, arguments = get_origin(hint), get_args(hint)
        if hint is Any:
            return {}
        if hint in _SCALARS:
            return dict(_SCALARS[hint])
        if isinstance(hint, type) and issubclass(hint, Enum):
            return {"type": "string", "enum": [one.value for one in hint]}
        if is_dataclass(hint) and isinstance(hint, type):
            return self.ref(hint)
        if origin is Literal:
            return {"type": "string", "enum": list(arguments)}
        if origin in (list, tuple):
            return {"type": "array", "items": self._of(arguments[0])}
        if origin in (Union, types.UnionType):
            options = [self._of(one) for one in arguments]
            if all(option.keys() == {"type"} for option in options):
                return {"type": [option["type"] for option in options]}
            return {"anyOf": options}
        if origin is not None and issubclass(origin, Mapping):
            return {"type": "object", "additionalProperties": self._of(arguments[1])}
        raise TypeError(f"no schema for {hint!r}")
