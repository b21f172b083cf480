"""What forms of review say, and how pages show faces."""

from collections.abc import Iterable
from enum import StrEnum
from math import hypot
from typing import TypeVar
from uuid import UUID

from likeness.console.forms import Form
from likeness.console.pictures import address_of_jpeg
from likeness.console.visit import Visit
from likeness.errors import InvalidRequest
from likeness.review import Feature
from likeness.service.review.cases import CaseFacts
from likeness.service.review.compare import ShownFace
from likeness.service.uses import opens_blurred

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


def chosen(visit: Visit, name: str, kind: type[Said], missing: str) -> Said:
    """Give what was chosen of a few.

    Raises:
        InvalidRequest: nothing was, or something that there is not; it stands beside the field.
    """
    with visit.about(name):
        try:
            return kind(visit.form.text(name))
        except ValueError:
            raise InvalidRequest(missing) from None


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


def state_of(facts: CaseFacts, visit: Visit) -> str:
    """Name the state of a case: a text of `review.state`."""
    case = facts.case
    if case.authorise_by is not None and case.authorised_at is None:
        return "unauthorised"
    if case.is_of_whole:
        return "authorised"
    if facts.empty:
        return "empty"
    if facts.decided:
        return "decided"
    if facts.yours:
        return "yours"
    return "own" if case.principal_id == visit.principal.id else "others"


def as_image(jpeg: bytes | None) -> str | None:
    """Give a picture as a page holds it, which keeps it nowhere."""
    return None if jpeg is None else address_of_jpeg(jpeg)


def facts_of_face(shown: ShownFace | None) -> dict[str, object] | None:
    """Say what is measured of a face: sizes in pixels of the picture that is kept."""
    if shown is None or shown.face is None:
        return None
    face = shown.face
    left, right = face.landmarks.eye_left, face.landmarks.eye_right
    pose, quality = face.pose, face.quality
    return {
        "height": round(face.box.height),
        "eyes": round(hypot(right.x - left.x, right.y - left.y)),
        "sharpness": round(quality.sharpness),
        "brightness": round(quality.brightness),
        "yaw": abs(round(pose.yaw)),
        "side": "right" if pose.yaw > 0 else "left",
        "pitch": abs(round(pose.pitch)),
        "way": "up" if pose.pitch > 0 else "down",
        "reasons": [str(one) for one in quality.reasons],
    }


def blurring(visit: Visit, purpose: str) -> dict[str, object]:
    """Say whether faces of a case open blurred, and whether they are so now."""
    opens = opens_blurred(purpose)
    return {
        "opens_blurred": opens,
        "is_blurred": opens and not is_unblurred(visit),
        "suffix": f"?{UNBLURRED}=yes" if opens and is_unblurred(visit) else "",
    }


def page_of(items: Iterable[object], number: str, size: int) -> tuple[list[object], int, bool]:
    """Give one page of a list, its number from 1, and whether there is another after it."""
    page = int(number) if number.isascii() and number.isdigit() and len(number) < 8 else 1
    page = max(page, 1)
    listed = list(items)
    return listed[(page - 1) * size : page * size], page, len(listed) > page * size
