"""What was seen in a clip, in lines for a terminal, as JSON, and as rows of a CSV file."""

import csv
import textwrap
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO
from uuid import UUID

from likeness.cli.terminal.answers import Json
from likeness.cli.terminal.plain_text import plain
from likeness.cli.terminal.words import named_in_words, several, similarity_in_words
from likeness.service.enrol.csv_rows import as_text
from likeness.service.search.documents import face_json, significant
from likeness.service.search.naming import SIMILARITY
from likeness.service.video.seen import ClipMatch, ClipPerson, ClipSeen
from likeness.terms import clock, one_in

COLUMNS = [
    "clip",
    "person",
    "name",
    "from_s",
    "to_s",
    "best_s",
    "similarity",
    "fmr",
    "extrapolated",
    "looks",
    "agreeing",
    "candidate",
    "candidate_similarity",
    "not_named_because",
]  # one a sight
WITHHELD = "withheld"
"""In place of a name, and of a stranger's number, which would be an answer."""


@dataclass(frozen=True, slots=True, eq=False)
class ShownClip:
    """A clip by the name it was given, who is seen in it, and what was written of each person.

    `names_people` is whether anybody was looked for: people are strangers then, if they are nobody
    who is known.
    """

    name: str
    seen: ClipSeen
    names_people: bool
    shots: Mapping[int, Path]

    def calls(self) -> dict[int, str]:
        """Say what each person is called, by number: a name, or a number of a stranger.

        Whoever was never seen well enough to be recognised is numbered apart.
        """
        counts: Counter[str] = Counter()
        found = {}
        for person in self.seen.people:
            if person.match is not None:
                found[person.number] = person.match.name
                continue
            kind = "person"
            if self.names_people:
                kind = "stranger" if person.seen_well else "unclear"
            if person.withheld:
                kind = WITHHELD
            counts[kind] += 1
            found[person.number] = f"{kind} {counts[kind]}"
        return found

    def unclear(self) -> list[ClipPerson]:
        """Give those of whom nobody could say who they are."""
        return [one for one in self.seen.people if self.names_people and not one.seen_well]


def lines_of(shown: ShownClip) -> Iterator[str]:
    """Say in lines what a clip is, who is seen when, and what was skipped."""
    seen, clip = shown.seen, shown.seen.clip
    yield (
        f"{plain(shown.name)}: {_how_many(shown)} in {clock(seen.to_s - seen.from_s)} of"
        f" {clip.width}x{clip.height} pixels ({clip.codec})"
    )
    yield from (f"      {plain(remark)}" for remark in seen.remarks)
    if seen.damaged and not any("damaged" in remark for remark in seen.remarks):
        were = "was" if seen.damaged == 1 else "were"
        yield f"      {several(seen.damaged, 'damaged frame')} {were} skipped"
    calls = shown.calls()
    unclear = shown.unclear()
    apart = {one.number for one in unclear}
    for person in seen.people:
        if person.number not in apart:
            yield from _person_lines(shown, person, calls[person.number])
    if unclear:
        yield _unclear_line(unclear)


def json_of(shown: ShownClip) -> Json:
    """Say the same in JSON."""
    seen, clip = shown.seen, shown.seen.clip
    calls = shown.calls()
    return {
        "container": clip.container,
        "codec": clip.codec,
        "width": clip.width,
        "height": clip.height,
        "duration_s": clip.duration_s,
        "frame_rate": clip.frame_rate,
        "from_s": round(seen.from_s, 3),
        "to_s": round(seen.to_s, 3),
        "frames": seen.frames,
        "looked_at": seen.looked_at,
        "damaged": seen.damaged,
        "remarks": list(seen.remarks),
        "people": [_person_json(shown, one, calls[one.number]) for one in seen.people],
        **(
            {"withheld": seen.withheld, "cases": [str(one) for one in seen.case_ids]}
            if shown.names_people
            else {}
        ),
    }


def write_header(file: TextIO) -> None:
    """Begin a CSV file."""
    csv.writer(file).writerow(COLUMNS)


def write_rows(file: TextIO, shown: ShownClip) -> None:
    """Write a row of CSV for each time that somebody is in view."""
    calls, rows = shown.calls(), csv.writer(file)
    for person in shown.seen.people:
        match, lead = person.match, _lead(person)
        for sight in person.intervals:
            rows.writerow(
                [
                    as_text(shown.name),
                    person.number + 1,
                    as_text(calls[person.number]),
                    f"{sight.begins_s:.3f}",
                    f"{sight.ends_s:.3f}",
                    "" if person.best_s is None else f"{person.best_s:.3f}",
                    "" if match is None else f"{match.similarity:.2f}",
                    "" if match is None else significant(match.fmr),
                    "" if match is None else str(match.extrapolated).lower(),
                    "" if match is None else match.looks,
                    "" if match is None else match.agreeing,
                    "" if lead is None else as_text(lead.name),
                    "" if lead is None else f"{lead.similarity:.2f}",
                    "" if lead is None else as_text(lead.unnamed_because or ""),
                ]
            )


def _lead(person: ClipPerson) -> ClipMatch | None:
    """Give whom somebody without a name is like, if that is worth saying."""
    if person.match is not None or not person.candidates:
        return None
    best = person.candidates[0]
    return best if _worth_saying(best) else None


def match_in_words(match: ClipMatch) -> str:
    """Say whom somebody is like, with the rate that stands for it and how many looks agree."""
    sure = " (extrapolated)" if match.extrapolated else ""
    who = named_in_words(match.name, match.subject, match.external_id)
    return (
        f"{who}, similarity {similarity_in_words(match.similarity)};"
        f" {one_in(match.fmr)}{sure} strangers score as high on a track;"
        f" {match.agreeing} of {several(match.looks, 'look')}"
        f" {'agrees' if match.agreeing == 1 else 'agree'}"
    )


def _how_many(shown: ShownClip) -> str:
    seen, unclear = shown.seen, len(shown.unclear())
    people = len(seen.people) - unclear
    if not shown.names_people or not people:
        counted = [f"{people} {'person' if people == 1 else 'people'}"]
    else:
        known = sum(one.match is not None for one in seen.people)
        named = f"{known} known {'person' if known == 1 else 'people'}" if known else "nobody known"
        withheld = sum(one.withheld for one in seen.people)
        strangers = people - known - withheld
        counted = [
            *([named] if known or not withheld else []),
            *([several(strangers, "stranger")] if strangers or not withheld else []),
            *(
                [f"{withheld} {'person' if withheld == 1 else 'people'} withheld"]
                if withheld
                else []
            ),
        ]
    return " and ".join(counted)


def _unclear_line(unclear: Sequence[ClipPerson]) -> str:
    first, last = unclear[0].intervals[0].begins_s, max(one.intervals[-1].ends_s for one in unclear)
    were = "more face was" if len(unclear) == 1 else "more faces were"
    return (
        f"      {len(unclear)} {were} too small, blurred or turned away to be recognised, between"
        f" {clock(first)} and {clock(last)}"
    )


def _person_lines(shown: ShownClip, person: ClipPerson, called: str) -> Iterator[str]:
    match, others = person.match, person.candidates
    if person.withheld:
        said = WITHHELD
    elif match is not None:
        said, others = match_in_words(match), others[1:]
    else:
        said = called
    yield f"{person.number + 1:>4}  {said}"
    sights = ", ".join(f"{clock(one.begins_s)}-{clock(one.ends_s)}" for one in person.intervals)
    yield from textwrap.wrap(
        f"seen {sights}",
        79,
        initial_indent="      ",
        subsequent_indent="           ",
        break_on_hyphens=False,
    )
    if person.best_s is not None:
        shot = shown.shots.get(person.number)
        written = "" if shot is None else f", in {plain(shot)}"
        yield f"      best at {clock(person.best_s)}{written}"
    for other in others:
        if not _worth_saying(other):
            continue
        place = "also a match" if other.match else "next"
        yield f"      {place}: {match_in_words(other)}"
        if other.unnamed_because:
            yield f"      not named: {other.unnamed_because}"
    if person.case_id is not None:
        yield _case_line(person, person.case_id)


def _case_line(person: ClipPerson, case_id: UUID) -> str:
    if person.withheld:
        return (
            f"      who it is, if anybody, is withheld until people have decided case {case_id};"
            f" then the same command answers: `likeness review show {case_id}`"
        )
    if person.decided:
        return f"      answered as people decided case {case_id}"
    return f"      a person can decide case {case_id}: `likeness review show {case_id}`"


def _worth_saying(match: ClipMatch) -> bool:
    return match.match or match.unnamed_because is not None or match.similarity >= SIMILARITY


def _person_json(shown: ShownClip, person: ClipPerson, called: str) -> Json:
    shot = shown.shots.get(person.number)
    return {
        "number": person.number + 1,
        "called": called,
        "intervals": [
            {"from_s": round(one.begins_s, 3), "to_s": round(one.ends_s, 3)}
            for one in person.intervals
        ],
        "best_s": None if person.best_s is None else round(person.best_s, 3),
        "face": None if person.best_face is None else face_json(person.best_face),
        "shot": None if shot is None else str(shot),
        **(
            {
                "match": None if person.match is None else called,
                "candidates": [_match_json(one) for one in person.candidates],
                "withheld": person.withheld,
                "case": None if person.case_id is None else str(person.case_id),
            }
            if shown.names_people
            else {}
        ),
    }


def _match_json(match: ClipMatch) -> Json:
    interval = match.fmr_interval
    return {
        "subject": match.subject,
        "external_id": match.external_id,
        "reference": None if match.reference_id is None else str(match.reference_id),
        "match": match.match,
        "unnamed_because": match.unnamed_because,
        "similarity": round(match.similarity, 2),
        "fmr": significant(match.fmr),
        "fmr_interval": None if interval is None else [significant(end) for end in interval],
        "extrapolated": match.extrapolated,
        "looks": match.looks,
        "agreeing": match.agreeing,
        "agreement": round(match.agreement, 3),
    }
