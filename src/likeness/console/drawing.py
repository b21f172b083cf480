"""Makes the HTML of pages: templates, and what all of them need."""

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from functools import cache
from math import floor
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from likeness.console.static import address_of
from likeness.console.visit import Page, Visit, link
from likeness.console.wording import Wording
from likeness.terms import one_in


def draw(page: Page, visit: Visit) -> bytes:
    """Give the HTML of a page for whoever visits it."""
    values = {
        "visit": visit,
        "t": visit.t,
        "form": visit.form,
        "problem": visit.problem,
        "link": link,
        "static": address_of,
        "notices": visit.memory.take_notices() if visit.signed_in else [],
        **page.values,
    }
    return _environment().get_template(page.template).render(values).encode()


def draw_part(template: str, visit: Visit, values: Mapping[str, Any]) -> str:
    """Give the HTML of a part of a page, to put into one that is shown already."""
    given = {"visit": visit, "t": visit.t, "link": link, **values}
    return _environment().get_template(template).render(given)


def as_json(value: Any) -> str:
    """Give a value as JSON that people read."""
    return json.dumps(value, indent=2, ensure_ascii=False, default=str)


def says(names: Iterable[str], t: Wording, prefix: str) -> list[tuple[str, Markup]]:
    """Give each name with its text, as the options of a choice."""
    return [(name, t(prefix + name)) for name in names]


def similarity(value: float) -> str:
    """Say a similarity to one digit, from 99 on to two, never more than it is."""
    digits = 2 if 99 <= value < 100 else 1
    cut = floor(value * 10**digits) / 10**digits
    return "100" if value >= 100 else f"{cut:.{digits}f}"


def rate(t: Wording, value: float, *, extrapolated: bool) -> Markup | str:
    """Say how often strangers do something, and whether that is too rare to have been counted."""
    said = one_in(value)
    return t("extrapolated", what=said) if extrapolated else said


def minute(moment: datetime) -> str:
    """Give a moment as people read it, to the minute."""
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")


def in_fours(text: str) -> str:
    """Give a text in groups of four, to be typed."""
    return " ".join(text[at : at + 4] for at in range(0, len(text), 4))


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("likeness.console"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["as_json"] = as_json
    environment.filters["says"] = says
    environment.filters["similarity"] = similarity
    environment.filters["minute"] = minute
    environment.filters["in_fours"] = in_fours
    return environment


def templates() -> list[str]:
    """Name all templates."""
    return _environment().list_templates(extensions=["html"])
