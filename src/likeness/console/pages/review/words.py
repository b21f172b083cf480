"""How pages of review say how a case stands, and show a face."""

from math import hypot

from likeness.console.pages.review.inputs import UNBLURRED, is_unblurred
from likeness.console.pictures import address_of_jpeg
from likeness.console.visit import Visit
from likeness.service.review.cases import CaseFacts
from likeness.service.review.compare import ShownFace
from likeness.service.uses import opens_blurred


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
