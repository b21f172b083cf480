"""What addresses and forms of review say."""

from collections.abc import Iterable
from enum import StrEnum
from typing import TypeVar
from uuid import UUID

from likeness.console.forms import Form
from likeness.console.visit import Visit
from likeness.errors import InvalidRequest
from likeness.review import Feature

Said = TypeVar("Said", bound=StrEnum)

UNBLURRED = "unblurred"


def case_of(visit: Visit) -> UUID:
    """Give the id of the case that a page is about."""
    return UUID(visit.params["case"])


def is_unblurred(visit: Visit) -> bool:
    """Say whether they asked to see what opens blurred."""
    return visit.query.get(UNBLURRED) == "yes"


def one_line(text: str) -> str:
    """Give a text on one line, as reasons are kept."""
    return " ".join(text.split())


def chosen(visit: Visit, name: str, kind: type[Said]) -> Said:
    """Give what was chosen of a few.

    Raises:
        InvalidRequest: nothing was, or something that there is not; it stands beside the field.
    """
    with visit.about(name):
        try:
            return kind(visit.form.text(name))
        except ValueError:
            raise InvalidRequest(visit.t(f"review.no_{name}")) from None


def said_of_features(form: Form, kind: type[Said]) -> dict[Feature, Said]:
    """Give what a form says of each feature; nothing of those where nothing was chosen.

    Raises:
        InvalidRequest: it says what cannot be said of a feature.
    """
    said: dict[Feature, Said] = {}
    for feature in Feature:
        if text := form.text(f"feature-{feature}"):
            try:
                said[feature] = kind(text)
            except ValueError:
                raise InvalidRequest(
                    f"Of {feature} something unknown was said. Choose one of what is offered."
                ) from None
    return said


def page_of(items: Iterable[object], number: str, size: int) -> tuple[list[object], int, bool]:
    """Give one page of a list, its number from 1, and whether there is another after it."""
    page = int(number) if number.isascii() and number.isdigit() and len(number) < 8 else 1
    page = max(page, 1)
    listed = list(items)
    return listed[(page - 1) * size : page * size], page, len(listed) > page * size
