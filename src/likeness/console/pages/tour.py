"""The tour of a first start: find faces, enrol people, recognise one of them.

With the sample people where their photographs were fetched; without, with pictures of one's own.
"""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import urlencode

from likeness.console.router import Pages
from likeness.console.visit import Page, Photograph, Redirect, Visit, link
from likeness.errors import AlreadyExists, InvalidRequest
from likeness.service.enrol.collections import create_collection
from likeness.service.enrol.enrol import Demands, Enroller, Outcome
from likeness.service.enrol.sources import NamedPicture
from likeness.terms import Action
from likeness.vision.decode import DecodeLimits, Sample, inspect

COLLECTION = "sample people"
"""What the tour enrols into."""

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
    values = {
        "cast": cast.enrolled if cast.probe is not None else (),
        "probe": cast.probe,
        "collection": COLLECTION,
        "search": _search(cast),
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


def _pictures(cast: _Cast) -> Iterator[NamedPicture]:
    for _, photograph in cast.enrolled:
        content = photograph.content

        def read(limits: DecodeLimits, content: bytes = content) -> Sample:
            return inspect(content, limits)

        yield NamedPicture(photograph.name, read, photograph.person)


def _search(cast: _Cast) -> str:
    asked = {"collection": COLLECTION, "sample": "" if cast.probe is None else str(cast.probe)}
    return f"{link('try', 'search')}?{urlencode(asked)}"
