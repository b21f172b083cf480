"""What people say of who is seen in a clip, in place of what was found.

A correction is kept under the job's key with its results, and goes with them. It changes what is
told of this clip alone: nobody is recognised otherwise because of it, and no template is changed.
Whoever is withheld is not corrected: people decide about them in their case.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from itertools import chain

from pydantic import TypeAdapter

from likeness import jobs
from likeness.jobs import Result
from likeness.service.video.seen import ClipMatch, ClipPerson, Correction, Said
from likeness.terms import Box
from likeness.video import Interval

_CORRECTION = TypeAdapter(Correction)


def result_of(person: int, correction: Correction) -> Result:
    """Make the row of a correction."""
    content = _CORRECTION.dump_json(correction)
    return Result(jobs.CORRECTION, person, person, 0, content)


def read_correction(result: Result) -> tuple[int, Correction]:
    """Read the row of a correction: of whom it is, by number, and what it says."""
    return result.owner, _CORRECTION.validate_json(result.content)


def corrected(
    people: Iterable[ClipPerson], corrections: Iterable[tuple[int, Correction]]
) -> tuple[ClipPerson, ...]:
    """Give people as they were corrected; those who are said to be the same become one."""
    by_number = {one.number: one for one in people}
    said = {
        number: one
        for number, one in corrections
        if number in by_number and not by_number[number].withheld
    }
    first_of = {number: _first(number, said, by_number) for number in by_number}
    groups: dict[int, list[ClipPerson]] = {}
    for number, person in by_number.items():
        groups.setdefault(first_of[number], []).append(person)
    return tuple(
        _called(_joined(by_number[first], group), said.get(first))
        for first, group in sorted(groups.items())
    )


def _first(number: int, said: Mapping[int, Correction], people: Mapping[int, ClipPerson]) -> int:
    """Say whom a person is said to be in the end: going round in circles says nothing."""
    met = [number]
    while True:
        one = said.get(met[-1])
        other = None if one is None or one.said is not Said.SAME else one.other
        if other is None or other not in people or people[other].withheld:
            return met[-1]
        if other in met:
            return min(met[met.index(other) :])
        met.append(other)


def _joined(first: ClipPerson, group: list[ClipPerson]) -> ClipPerson:
    others = tuple(one for one in group if one.number != first.number)
    if not others:
        return first
    every = (first, *others)
    best = next((one for one in every if one.best_face is not None), first)

    def box_at(time_s: float) -> Box | None:
        boxes = (one.box_at(time_s) for one in every)
        return next((box for box in boxes if box is not None), None)

    return replace(
        first,
        intervals=_merged(chain.from_iterable(one.intervals for one in every)),
        best_s=best.best_s,
        best_face=best.best_face,
        box_at=box_at,
        shots=sum(one.shots for one in every),
        joined=tuple(one.number for one in others),
    )


def _merged(intervals: Iterable[Interval]) -> tuple[Interval, ...]:
    merged: list[Interval] = []
    for one in sorted(intervals, key=lambda each: (each.begins_s, each.ends_s)):
        if merged and one.begins_s <= merged[-1].ends_s:
            merged[-1] = Interval(merged[-1].begins_s, max(merged[-1].ends_s, one.ends_s))
        else:
            merged.append(one)
    return tuple(merged)


def _called(person: ClipPerson, correction: Correction | None) -> ClipPerson:
    """Call a person what was said of them."""
    if correction is None or correction.said is Said.SAME:
        return person
    chosen = [one for one in person.candidates if _is_meant(one, correction)]
    if correction.said is Said.IS and not chosen:
        return person  # they were erased since
    named = [replace(one, match=True, unnamed_because=None) for one in chosen[:1]]
    rest = [replace(one, match=False) for one in person.candidates if one not in chosen[:1]]
    return replace(person, candidates=(*named, *rest), correction=correction)


def _is_meant(match: ClipMatch, correction: Correction) -> bool:
    return correction.said is Said.IS and match.reference_id == correction.reference_id
