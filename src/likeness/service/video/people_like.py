"""Reads whom people of a job are like, and lets the rules say what of it may be answered.

Of stored clips and of live searches alike: a person is asked about by themselves, and people decide
about them once.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Connection

from likeness import jobs
from likeness.errors import required
from likeness.gallery import OpenCollection
from likeness.review import ClipFace
from likeness.service.uses import Probe, Record, Rows
from likeness.service.video import kept
from likeness.service.video.naming import SeenMatch

Among = Callable[[Sequence[UUID]], Sequence[SeenMatch]]
"""Gives who of some references or subjects a person would be like, if nobody else were enrolled."""


def people_like(
    rows: Rows, of: OpenCollection, job_id: str, people: Collection[int] | None
) -> dict[int, list[SeenMatch]]:
    """Read whom people of a job are like, by their numbers, as far as those are enrolled still.

    Of some people, or of all where none are named.
    """

    def read(connection: Connection) -> dict[int, list[SeenMatch]]:
        mentions = jobs.mentions_of(connection, rows.keyring, job_id, people)
        its = of.within(connection)
        numbers = [one.number for one in kept.enrolled_still(its, mentions)]
        references = its.references.by_numbers(numbers)
        by_id = {one.id: one for one in references.values()}
        subjects = its.subjects.of(references.values())
        found: dict[int, list[SeenMatch]] = {}
        for mention in mentions:
            reference = by_id.get(required(mention.reference_id, "whom somebody is like"))
            if reference is not None:
                subject = subjects.get(reference.subject_number or 0)
                match = kept.read_match(mention, reference, subject)
                found.setdefault(mention.owner, []).append(match)
        return found

    return rows.database.read(read)


def among_those_found(matches: Sequence[SeenMatch]) -> Among:
    """Look among those who were found then: once templates are gone, nobody else is compared."""

    def among(ids: Sequence[UUID]) -> list[SeenMatch]:
        return [one for one in matches if {one.reference_id, one.subject_id} & set(ids)]

    return among


@dataclass(frozen=True, slots=True, eq=False)
class Released:
    """What may be answered of a person: whom they are like, unless that is `withheld`.

    `decided` is whether people have decided who it is, in case `case_id`.
    """

    matches: tuple[SeenMatch, ...]
    withheld: bool
    decided: bool
    case_id: UUID | None


def release_person(
    record: Record,
    known_as: ClipFace,
    crop_jpeg: bytes | None,
    matches: Sequence[SeenMatch],
    *,
    threshold: float,
    among: Among,
    refers: bool = True,
) -> Released:
    """Ask the rules, and people, whether it may be answered whom a person is like.

    Args:
        record: of the use that answers it.
        known_as: what review knows the person by.
        crop_jpeg: a picture of their face, where one is kept.
        matches: whom they are like, most alike first.
        threshold: the similarity that was asked for.
        among: see `Among`.
        refers: whether people may be asked about matches that rates do not settle.

    Raises:
        Denied: nothing may be answered.
    """
    probe = Probe.of_clip(known_as, crop_jpeg, (("threshold", f"{threshold:g}"),))
    least = min(threshold, *(one.similarity for one in matches if one.verdict.match), 100.0)
    released = record.release(record.not_told_apart(matches, probe), probe, among, least)
    decided = not record.withholds and record.confirmed
    if decided:
        released = [one.settled_by(record.confirmed_ids) for one in released]
    elif not record.withholds and refers and crop_jpeg is not None:
        record.refer([one for one in released if one.is_unsettled], probe)
    return Released(tuple(released), record.withholds, decided, record.asked_case_id)
