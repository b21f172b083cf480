"""The tour of a first start: find faces, enrol people, recognise one of them.

With the sample people where their photographs were fetched; without, with pictures of one's own.
Addresses say which step is done last, and a collection that has people in it that two are.
"""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import urlencode

from likeness.console.router import Pages
from likeness.console.visit import Page, Photograph, Redirect, Visit, link
from likeness.errors import AlreadyExists, InvalidRequest
from likeness.service.enrol.collections import create_collection, list_collections
from likeness.service.enrol.enrol import Demands, Enroller, Outcome
from likeness.service.enrol.sources import NamedPicture
from likeness.service.uses import Caller, Proof
from likeness.terms import Action
from likeness.vision.decode import DecodeLimits, Sample, inspect

COLLECTION = "sample-people"
"""What the tour enrols into."""
_STEPS = 3

tour = Pages()


@dataclass(frozen=True, slots=True)
class _Cast:
    """Who is enrolled, and the picture of one of them to recognise, by their places."""

    enrolled: tuple[tuple[int, Photograph], ...]
    probe: int | None

    @classmethod
    def of(cls, samples: tuple[Photograph, ...]) -> "_Cast":
        """Cast the samples: another photograph of somebody is not enrolled but recognised."""
        people = {one.person for one in samples}
        first = {
            who: next(n for n, one in enumerate(samples) if one.person == who) for who in people
        }
        enrolled = tuple((n, one) for n, one in enumerate(samples) if n == first[one.person])
        others = [n for n, one in enumerate(samples) if n != first[one.person]]
        return cls(enrolled, others[0] if others else None)


@tour.shows("/tour", Action.DETECT)
def show_tour(visit: Visit) -> Page:
    """Show the three steps."""
    cast = _Cast.of(visit.offered.samples)
    # Looked at apart from an enrolment, whose receipt is to be shown.
    looks = Caller(visit.principal, "ListCollections", proof=Proof())
    filled = {one.name for one in list_collections(visit.home, looks) if one.size.references}
    is_enrolled = COLLECTION in filled
    values = {
        "cast": cast.enrolled if cast.probe is not None else (),
        "probe": cast.probe,
        "collection": COLLECTION,
        "search": _search(cast),
        "is_enrolled": is_enrolled,
        "done": _done(visit, is_enrolled if cast.probe is not None else bool(filled)),
    }
    return Page("tour.html", values)


@tour.does("/tour/enrol", Action.ENROL, again=show_tour, sees=True)
def enrol_cast(visit: Visit) -> Redirect:
    """Enrol the sample people into a collection of their own, which is made where it is not."""
    cast = _Cast.of(visit.offered.samples)
    if cast.probe is None:
        raise InvalidRequest(
            "The sample people were never fetched. `make demo` does so, or take pictures of your"
            " own."
        )
    with suppress(AlreadyExists):
        create_collection(visit.home, visit.caller("CreateCollection"), COLLECTION)
    enroller = Enroller(visit.home, visit.caller("enrol"), COLLECTION, Demands(), workers=1)
    results = list(enroller.enrol(_pictures(cast)))
    known = sum(one.outcome is not Outcome.REJECTED for one in results)
    for one in results:
        if one.error is not None and not known:
            raise one.error
    return Redirect(_search(cast), visit.t("tour.enrolled", count=known))


def _done(visit: Visit, has_enrolled: bool) -> int:
    """Say how many steps are done."""
    asked = visit.query.get("done", "")
    said = int(asked) if asked in {str(step) for step in range(1, _STEPS + 1)} else 0
    return max(said, 2 if has_enrolled else 0)


def _pictures(cast: _Cast) -> Iterator[NamedPicture]:
    for _, photograph in cast.enrolled:
        content = photograph.content

        def read(limits: DecodeLimits, content: bytes = content) -> Sample:
            return inspect(content, limits)

        yield NamedPicture(photograph.name, read, photograph.person)


def _search(cast: _Cast) -> str:
    asked = {"tour": str(_STEPS)}
    if cast.probe is not None:
        asked |= {"collection": COLLECTION, "sample": str(cast.probe)}
    return f"{link('try', 'search')}?{urlencode(asked)}"
