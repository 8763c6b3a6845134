"""The settings of a reader's own file as fields to fill in, made of the JSON schema of its ``Settings``.

The schema is what the file's process said of itself. That may be anything: what is no schema is a line to type in.
"""

import json
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ValidationError

from pages.shared import fields
from pages.shared.fields import Choice, Flag
from pages.shared.text import literal, sendable
from pages.shared.train.fields import LONGEST, Line, plain
from pages.shared.train.settings import help_text

MOST = 100  # settings that are shown
LONGEST_HELP = 500  # characters
_RANGE = ("minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum")


class _About(BaseModel):
    """What a schema says of one property, as far as it matters here."""

    type: str = ""
    description: str = ""
    enum: list[Any] = []
    anyOf: list["_About"] = []
    items: dict[str, Any] = {}
    minimum: float | None = None
    exclusiveMinimum: float | None = None
    maximum: float | None = None
    exclusiveMaximum: float | None = None
    default: Any = None


def of(schema: Any) -> dict[str, tuple[fields.Field, Any]]:
    """Return a field for each property of a schema, at most ``MOST``, with what its widget has to begin with."""
    properties = schema.get("properties") if isinstance(schema, Mapping) else None
    if not isinstance(properties, Mapping):
        return {}
    return {name: _field(name, about, schema.get("$defs")) for name, about in list(properties.items())[:MOST]}


def value(field: fields.Field, typed: Any) -> Any:
    """Return what a config is given for what a widget holds."""
    return field.config_value(typed) if isinstance(field, Line) else typed


def _field(name: str, about: Any, definitions: Any) -> tuple[fields.Field, Any]:
    label = literal(name[:LONGEST_HELP])
    has_default = isinstance(about, Mapping) and "default" in about
    try:
        known = _About.model_validate(_resolved(about, definitions))
        kinds = [kind for kind in known.anyOf or [known] if kind.type != "null"]
        optional, kind = len(kinds) < len(known.anyOf), kinds[0] if len(kinds) == 1 else _About()
        ranges = [{name: getattr(each, name) for name in _RANGE} | {"type": each.type} for each in kinds]
        words = literal(help_text(known.description.strip()[:LONGEST_HELP] or name.replace("_", " "), ranges, optional))
    except ValidationError:
        known, kind, optional, words = (
            _About(default=about.get("default") if has_default else None),
            _About(),
            False,
            "",
        )
    if kind.type == "boolean" and isinstance(known.default, bool):
        return Flag(label, words), known.default
    if known.default in kind.enum and all(isinstance(word, str) for word in kind.enum) and not optional:
        return Choice(label, {word: sendable(word) for word in kind.enum}, words), known.default
    form = {"string": "words", "array": "list"}.get(kind.type, "number")
    begins = sendable(_typed(known.default)) if has_default else ""
    return Line(label, max(LONGEST, len(begins)), words, "none" if optional else "", form, optional), begins


def _resolved(about: Any, definitions: Any) -> Any:
    """Return a property with what it refers to, as an Enum does."""
    if not isinstance(about, Mapping):
        return {}
    name = str(about.get("$ref", "")).rpartition("/")[2]
    meant = definitions.get(name) if name and isinstance(definitions, Mapping) else None
    return {**meant, **about} if isinstance(meant, Mapping) else about


def _typed(default: Any) -> str:
    """Return a default as one would type it."""
    if isinstance(default, Mapping):
        return json.dumps(default)
    if isinstance(default, list) and not all(isinstance(each, int | float) for each in default):
        return json.dumps(default)[1:-1]
    return plain(default)
