"""A variant: a method of a study under a name and with settings of its own, as fop with k = 4 and σ = 0.3."""

import json
import re
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from fop_core.training.config import ConfigError

NAME = r"[A-Za-z0-9][A-Za-z0-9._-]{0,59}"
"""What a variant can be called: what separates methods and axes on the command line is not in it."""
_NEXT = re.compile(r",(?=\s*[A-Za-z_]\w*(?:\.\w+)*\s*=)")


class Variant(BaseModel):
    """A method with settings of its own.

    Attributes:
        method: one of ``protocol.known_methods()``, or "plugin".
        settings: what differs from that method in the study, by their paths.
        description: what it is, for people.

    Example:
        >>> from fop_core.studies.variants import Variant
        >>> Variant(method="fop", settings={"fop.rank": 4}).settings
        {'fop.rank': 4}
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    method: str
    settings: dict[str, Any] = {}
    description: str = Field("", max_length=400)


def parse_variant(text: str) -> tuple[str, Variant]:
    """Return the name and the variant that a text says.

    Args:
        text: "name=method:field=value,field=value"; a value is JSON, or else a word.

    Raises:
        ConfigError: where it says none.

    Example:
        >>> from fop_core.studies.variants import parse_variant
        >>> name, variant = parse_variant("k4-fixed=fop:fop.rank=4,fop.hyper_lr=0")
        >>> name, variant.method, variant.settings
        ('k4-fixed', 'fop', {'fop.rank': 4, 'fop.hyper_lr': 0})
    """
    head, colon, words = text.partition(":")
    name, equals, method = (part.strip() for part in head.partition("="))
    settings: dict[str, Any] = {}
    while words.strip():
        field, is_one, words = (part.strip() for part in words.partition("="))
        value, word, words = _first(words)
        if not (is_one and field and word):
            entry = f"{field}{is_one and '='}{word}"
            raise ConfigError(("variants", f"{entry!r} in {text!r}: write field=value, as fop.rank=4"))
        if field in settings:
            raise ConfigError(("variants", f"{field} is in {text!r} twice"))
        settings[field] = value
    if not (equals and name and method and (settings or not colon)):
        raise ConfigError(
            ("variants", f"{text!r}: write name=method:field=value,field=value, as k4=fop:fop.rank=4,fop.init_std=0.3")
        )
    return name, Variant(method=method, settings=settings)


def variant_text(name: str, variant: Variant) -> str:
    """Return a variant as ``parse_variant`` reads it; its description is left out.

    Example:
        >>> from fop_core.studies.variants import Variant, variant_text
        >>> variant_text("k4", Variant(method="fop", settings={"fop.rank": 4, "fop.layout": "auto"}))
        'k4=fop:fop.rank=4,fop.layout="auto"'
    """
    settings = ",".join(f"{field}={json.dumps(value)}" for field, value in variant.settings.items())
    return f"{name}={variant.method}" + (f":{settings}" if settings else "")


def _first(text: str) -> tuple[Any, str, str]:
    """Return the value that a text begins with, as it was written, and what comes after the comma behind it.

    A value that is JSON ends where that ends, so that a text in quotes may hold ", name=".
    """
    try:
        value, end = json.JSONDecoder().raw_decode(text)
    except (ValueError, RecursionError):
        pass
    else:
        tail = text[end:].lstrip()
        if not tail or (comma := _NEXT.match(tail)):
            return value, text[:end], tail[comma.end() :] if tail and comma else ""
    word, *others = _NEXT.split(text, maxsplit=1)
    return word.strip(), word.strip(), others[0] if others else ""
