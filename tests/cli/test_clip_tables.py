"""What is told of a clip: in lines, as JSON and as CSV, on values made here."""

import csv
import io
import json
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest

from likeness.cli.clips.tables import (
    COLUMNS,
    ShownClip,
    json_of,
    lines_of,
    write_header,
    write_rows,
)
from likeness.service.video.seen import ClipMatch, ClipPerson, ClipSeen
from likeness.terms import Box
from likeness.video import Clip, Interval
from tests.gallery.galleries import face

CASE = UUID(int=7)


def match(name: str | None = "Rosa", **changed: object) -> ClipMatch:
    found = ClipMatch(
        name, None, UUID(int=1), 99.987, 1 / 48_000, None, False, True, None, 8, 7, 0.9
    )
    return replace(found, **changed)  # type: ignore[arg-type]


def person(number: int, *sights: tuple[float, float], best_s: float | None = 1.0) -> ClipPerson:
    best = None if best_s is None else face()
    intervals = tuple(Interval(*sight) for sight in sights)
    return ClipPerson(number, intervals, best_s, best, lambda time_s: Box(0, 0, 9, 9))


def seen(*people: ClipPerson, **changed: object) -> ClipSeen:
    clip = Clip("mov", "h264", 1280, 720, 90.0, 25.0)
    return replace(ClipSeen(clip, people, 0.0, 90.0, 2250, 900, 0), **changed)  # type: ignore[arg-type]


def told(of: ClipSeen, *, names_people: bool = True, **shots: Path) -> ShownClip:
    return ShownClip("a.mp4", of, names_people, {int(n[1:]): path for n, path in shots.items()})


ROSA = replace(person(0, (0.0, 12.34), (20.0, 31.0), best_s=5.2), candidates=(match(),))
UNKNOWN = person(1, (3.0, 8.0))
GLIMPSED = person(2, (70.0, 70.4), best_s=None)


def test_many_times_in_view_take_several_lines() -> None:
    often = person(0, *((20.0 * n, 20.0 * n + 5) for n in range(6)))
    lines = list(lines_of(told(seen(often))))
    assert lines[2:4] == [
        "      seen 00:00.0-00:05.0, 00:20.0-00:25.0, 00:40.0-00:45.0, 01:00.0-01:05.0,",
        "           01:20.0-01:25.0, 01:40.0-01:45.0",
    ]


def test_everybody_is_told_with_when_how_alike_and_how_surely() -> None:
    lines = list(lines_of(told(seen(ROSA, UNKNOWN, GLIMPSED), _1=Path("shots/a-stranger-1.jpg"))))
    assert lines == [
        "a.mp4: 1 known person and 1 stranger in 01:30.0 of 1280x720 pixels (h264)",
        "   1  Rosa, similarity 99.98; 1 in 48,000 strangers score as high on a track; 7 of 8 looks"
        " agree",
        "      seen 00:00.0-00:12.3, 00:20.0-00:31.0",
        "      best at 00:05.2",
        "   2  stranger 1",
        "      seen 00:03.0-00:08.0",
        "      best at 00:01.0, in shots/a-stranger-1.jpg",
        "      1 more face was too small, blurred or turned away to be recognised, between 01:10.0"
        " and 01:10.4",
    ]


def test_whom_nobody_looked_for_are_people_and_no_strangers() -> None:
    lines = list(lines_of(told(seen(UNKNOWN, GLIMPSED), names_people=False)))
    assert lines[0].startswith("a.mp4: 2 people in ")
    assert [line[6:] for line in lines if line[:4].strip()][1:] == ["person 1", "person 2"]
    assert not any("recognised" in line for line in lines)


def test_whoever_cannot_be_recognised_is_numbered_apart_and_told_of_in_one_line() -> None:
    every = told(seen(GLIMPSED, replace(UNKNOWN, number=3), replace(GLIMPSED, number=4)))
    assert every.calls() == {2: "unclear 1", 3: "stranger 1", 4: "unclear 2"}
    assert list(lines_of(every))[-1].startswith("      2 more faces were too small, blurred")
    assert [one["called"] for one in json_of(every)["people"]] == [*every.calls().values()]


def test_damage_and_remarks_are_told() -> None:
    lines = list(lines_of(told(seen(remarks=("HDR was converted.",), damaged=3))))
    assert lines[1:] == ["      HDR was converted.", "      3 damaged frames were skipped"]


def test_others_who_are_as_alike_are_listed_and_those_who_are_not_named_with_the_reason() -> None:
    unsure = match("Greta", match=False, unnamed_because="Too few looks agree.", extrapolated=True)
    one = replace(ROSA, candidates=(match(), match("Ruth"), unsure))
    lines = list(lines_of(told(seen(one))))
    assert lines[4].startswith("      also a match: Ruth, similarity 99.98; 1 in 48,000 strangers")
    assert lines[5].startswith("      next: Greta, similarity 99.98; 1 in 48,000 (extrapolated) ")
    assert lines[6] == "      not named: Too few looks agree."


def test_whoever_is_withheld_is_no_stranger_and_others_are_named() -> None:
    held = replace(UNKNOWN, withheld=True, case_id=CASE)
    withheld = told(seen(ROSA, held))
    file = io.StringIO()
    write_rows(file, withheld)
    lines = list(lines_of(withheld))
    assert "1 known person and 1 person withheld in " in lines[0]
    assert any(line.startswith("   1  Rosa, similarity") for line in lines)
    assert "   2  withheld" in lines
    assert any(str(CASE) in line and "likeness review show" in line for line in lines)
    assert not any("stranger 1" in text for text in (*lines, file.getvalue()))
    document = json_of(withheld)
    assert document["withheld"] is True
    assert [one["withheld"] for one in document["people"]] == [False, True]
    assert document["people"][1]["case"] == str(CASE)


def test_a_name_reaches_no_terminal_with_its_escapes() -> None:
    one = replace(ROSA, candidates=(match("\x1b[31mRosa"),))
    assert not any("\x1b" in line for line in lines_of(told(seen(one))))


def test_json_says_the_same_and_is_valid() -> None:
    document = json.loads(json.dumps(json_of(told(seen(ROSA, UNKNOWN)))))
    first, second = document["people"]
    assert (first["match"], first["called"], first["best_s"]) == ("Rosa", "Rosa", 5.2)
    assert first["intervals"][1] == {"from_s": 20.0, "to_s": 31.0}
    assert (first["candidates"][0]["looks"], first["candidates"][0]["agreeing"]) == (8, 7)
    assert (second["match"], second["called"], second["candidates"]) == (None, "stranger 1", [])
    assert (document["width"], document["height"], document["damaged"]) == (1280, 720, 0)


def test_csv_has_a_row_for_each_time_in_view_and_no_formula() -> None:
    file = io.StringIO()
    write_header(file)
    formula = replace(UNKNOWN, candidates=(match("=HYPERLINK(1)"),))
    write_rows(file, told(seen(ROSA, formula)))
    rows = list(csv.DictReader(io.StringIO(file.getvalue())))
    assert list(rows[0]) == list(COLUMNS)
    assert [(row["person"], row["name"], row["from_s"], row["to_s"]) for row in rows] == [
        ("1", "Rosa", "0.000", "12.340"),
        ("1", "Rosa", "20.000", "31.000"),
        ("2", "'=HYPERLINK(1)", "3.000", "8.000"),
    ]
    assert (rows[0]["fmr"], rows[0]["extrapolated"]) == ("2.08e-05", "false")


def test_csv_has_whom_somebody_without_a_name_is_like_and_why_they_are_not_named() -> None:
    lead = match("=Greta", match=False, unnamed_because="Too few looks agree.")
    unlike = match("Ruth", match=False, similarity=0.0)
    people = [
        ROSA,
        replace(UNKNOWN, candidates=(lead, unlike)),
        replace(UNKNOWN, candidates=(unlike,)),
    ]
    file = io.StringIO()
    write_header(file)
    write_rows(file, told(seen(*people)))
    rows = list(csv.DictReader(io.StringIO(file.getvalue())))
    leads = [
        (row["candidate"], row["candidate_similarity"], row["not_named_because"]) for row in rows
    ]
    of_lead = ("'=Greta", "99.99", "Too few looks agree.")
    assert leads == [("", "", ""), ("", "", ""), of_lead, ("", "", "")]


@pytest.mark.parametrize(("count", "said"), [(0, "0 people"), (1, "nobody known and 1 stranger")])
def test_a_clip_of_nobody_or_of_strangers_alone_says_so(count: int, said: str) -> None:
    (first, *_) = lines_of(told(seen(*[UNKNOWN] * count)))
    assert first.startswith(f"a.mp4: {said} in ")
