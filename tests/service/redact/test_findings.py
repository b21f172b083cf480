"""What was hidden is told as spans of time, and where a person should look at it."""

import pytest

from likeness.service.redact.findings import Doubt, RedactionFindings
from likeness.terms import Box
from likeness.video import Hidden, Moment, Reason, Region, Shown, Sight

_BOX = Box(10, 10, 70, 90)


def hidden(
    track: int = 0,
    *,
    sight: Sight = Sight.SEEN,
    reason: Reason = Reason.EVERYBODY,
    confidence: float = 0.9,
    box: Box = _BOX,
) -> Hidden:
    return Hidden(Region(box), sight, reason, confidence, track)


def findings_of(*frames: tuple[float, Moment]) -> RedactionFindings:
    findings = RedactionFindings()
    for time_s, moment in frames:
        findings.add(time_s, moment)
    findings.finish()
    return findings


def test_frames_of_one_face_are_one_span() -> None:
    findings = findings_of(*((n / 10, Moment((hidden(), hidden(1)))) for n in range(10)))
    assert [(one.track, one.frames) for one in findings.hidden] == [(0, 10), (1, 10)]
    assert findings.hidden[0].begins_s == 0 and findings.hidden[0].ends_s == 0.9
    assert (findings.frames, findings.regions) == (10, 20)
    assert list(findings.frames_by_reason()) == [(Reason.EVERYBODY, 20)]
    assert findings.to_look_at == []


def test_a_face_that_comes_back_much_later_is_another_span() -> None:
    findings = findings_of((0.0, Moment((hidden(),))), (5.0, Moment((hidden(),))))
    assert [one.begins_s for one in findings.hidden] == [0.0, 5.0]


@pytest.mark.parametrize(
    ("one", "doubt"),
    [
        (hidden(confidence=0.3, sight=Sight.PERHAPS), Doubt.PERHAPS),
        (hidden(box=Box(0, 0, 12, 15)), Doubt.SMALL),
        (hidden(sight=Sight.BETWEEN), Doubt.LONG),
        (hidden(reason=Reason.UNSURE), Doubt.UNSURE),
        (hidden(reason=Reason.MAYBE), Doubt.UNSURE),
    ],
)
def test_a_person_should_look_at_what_is_doubtful(one: Hidden, doubt: Doubt) -> None:
    findings = findings_of(*((n / 10, Moment((one, hidden(9)))) for n in range(10)))
    (place,) = findings.to_look_at
    assert place.track == 0
    assert place.doubts == (doubt,)


def test_spans_of_one_face_that_follow_each_other_are_one_place() -> None:
    doubts = [
        hidden(confidence=0.3, sight=Sight.PERHAPS),
        hidden(reason=Reason.UNSURE),
        hidden(reason=Reason.NEAR),
        hidden(box=Box(0, 0, 12, 15)),
    ]
    frames = [(n / 10, Moment((one, hidden(1, confidence=0.3)))) for n, one in enumerate(doubts)]
    findings = findings_of(*frames, (5.0, Moment((hidden(reason=Reason.UNSURE),))))
    first, other, later = findings.to_look_at
    assert (first.track, first.begins_s, first.ends_s, first.frames) == (0, 0.0, 0.3, 3)
    assert first.doubts == (Doubt.PERHAPS, Doubt.SMALL, Doubt.UNSURE)
    assert (other.track, other.frames) == (1, 4)
    assert (later.track, later.begins_s) == (0, 5.0)


def test_who_stays_visible_is_told_from_when_to_when() -> None:
    frames = [(n / 10, Moment((), (Shown(_BOX, "Anna"), Shown(_BOX, "Bert")))) for n in range(5)]
    findings = findings_of(*frames, (2.0, Moment((), (Shown(_BOX, "Anna"),))))
    told = [(one.called, one.begins_s, one.ends_s, one.frames) for one in findings.visible]
    assert told == [("Anna", 0.0, 0.4, 5), ("Bert", 0.0, 0.4, 5), ("Anna", 2.0, 2.0, 1)]


def test_a_face_found_in_every_second_look_was_not_out_of_sight_for_long() -> None:
    frames = [
        (number / 25, Moment((hidden(1, sight=Sight.BETWEEN if number % 5 else Sight.SEEN),)))
        for number in range(100)
    ]
    assert findings_of(*frames).to_look_at == []


def test_a_face_that_was_out_of_sight_for_long_is_to_be_looked_at() -> None:
    frames = [
        (number / 25, Moment((hidden(1, sight=Sight.BETWEEN if number % 25 else Sight.SEEN),)))
        for number in range(76)
    ]
    (place,) = findings_of(*frames).to_look_at
    assert place.doubts == (Doubt.LONG,)
