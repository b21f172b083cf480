"""What the pages say: `texts/LANGUAGE.toml`, one file for each language; a translation is a file.

A text is named by its table and its key, such as `sign_in.title`. What is put in for `{braces}` is
escaped. A text with a `many`, and a `one` where that differs, is chosen by its `count`. What is not
translated is English.
"""

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from markupsafe import Markup, escape

DEFAULT = "en"


@cache
def languages() -> dict[str, "Wording"]:
    """Read the texts of every language that there are, by its code."""
    folder = files("likeness.console") / "texts"
    read = {
        file.name.removesuffix(".toml"): tomllib.loads(file.read_text(encoding="utf-8"))
        for file in folder.iterdir()
        if file.name.endswith(".toml")
    }
    default = Wording(read[DEFAULT])
    return {language: Wording(tables, default) for language, tables in read.items()}


def choose_language(accepted: str) -> str:
    """Choose among the languages that a browser accepts, the first that is there (RFC 9110)."""
    wanted: list[tuple[float, str]] = []
    for part in accepted.split(",")[:20]:
        tag, _, weight = part.strip().partition(";q=")
        try:
            quality = float(weight or 1)
        except ValueError:
            continue
        if 0 < quality <= 1:
            wanted.append((-quality, tag.partition("-")[0].casefold()))
    # Of equal ones the first.
    wanted.sort(key=lambda one: one[0])
    return next((tag for _, tag in wanted if tag in languages()), DEFAULT)


class Wording:
    """The texts of one language, and of a default where they are not translated."""

    def __init__(self, tables: Mapping[str, Any], default: "Wording | None" = None) -> None:
        others = {} if default is None else default._texts
        self._texts: dict[str, str] = {**others, **dict(_flattened("", tables))}

    @property
    def keys(self) -> frozenset[str]:
        """The names of all texts."""
        return frozenset(self._texts)

    def __call__(self, key: str, /, **values: object) -> Markup:
        """Give a text with its values put in.

        Raises:
            KeyError: there is no such text, or it wants a value that is not given.
        """
        text = self._texts.get(key)
        if text is None and values.get("count") == 1:
            text = self._texts.get(f"{key}.one")
        if text is None:
            text = self._texts[f"{key}.many"]
        # The texts are ours, and what comes from elsewhere is escaped.
        return Markup(text).format(**{name: escape(one) for name, one in values.items()})  # noqa: S704


def _flattened(prefix: str, tables: Mapping[str, Any]) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for name, value in tables.items():
        if isinstance(value, str):
            found.append((f"{prefix}{name}", value))
        else:
            found += _flattened(f"{prefix}{name}.", value)
    return found
