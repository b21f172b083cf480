"""Tracks of one person are joined; those of two never are, if it can be helped."""

from dataclasses import replace

import numpy as np
import pytest

import likeness.video.people
from likeness.video import Ending, Look, Shot, Track, people_of
from tests.video.scenes import face_at, template

SAME_FROM = -0.6


def track(
    person: int,
    from_s: float,
    to_s: float,
    *,
    shots: int = 3,
    ended: Ending = Ending.CUT,
    at: tuple[float, float] = (100, 100),
    noise: float = 0.4,
) -> Track:
    """Somebody who stays at a place for a time, with so many shots of them."""
    random = np.random.default_rng([person, int(from_s * 1000)])
    looks = tuple(Look(time_s, face_at(*at)) for time_s in np.arange(from_s, to_s, 0.1).tolist())
    chosen = [looks[5 * number] for number in range(shots)]
    return Track(
        looks,
        tuple(Shot(one, template(person, noise * random.normal(size=64)), b"") for one in chosen),
        ended,
    )


def who(tracks: list[Track], same_from: float | None = SAME_FROM) -> list[list[float]]:
    """When the tracks of each person begin."""
    return [[one.begins_s for one in person.tracks] for person in people_of(tracks, same_from)]


def test_who_returns_is_the_same_person_by_templates() -> None:
    tracks = [track(1, 0, 3), track(2, 4, 7), track(1, 8, 11, at=(400, 200))]
    assert who(tracks) == [[0, 8], [4]]
    assert who(tracks, None) == [[0], [4], [8]]


def test_people_are_numbered_as_they_are_seen_first() -> None:
    people = people_of([track(3, 9, 12), track(1, 4, 7), track(2, 0, 3)], SAME_FROM)
    assert [person.number for person in people] == [0, 1, 2]
    assert [person.tracks[0].begins_s for person in people] == [0, 4, 9]


def test_many_tracks_are_joined_some_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    # A film: two people by turns, and one who is seen once.
    tracks = [track(number % 2, 4 * number, 4 * number + 3) for number in range(40)]
    tracks.insert(7, track(3, 4 * 40, 4 * 40 + 3))
    at_once = who(tracks)
    monkeypatch.setattr(likeness.video.people, "_AT_ONCE", 5)
    assert who(tracks) == at_once
    assert [len(one) for one in at_once] == [20, 20, 1]


@pytest.mark.parametrize("same_from", [None, SAME_FROM])
def test_joining_ends_where_nobody_wants_it_any_more(same_from: float | None) -> None:
    def stop() -> None:
        raise TimeoutError

    with pytest.raises(TimeoutError):
        people_of([track(1, 0, 3), track(1, 4, 7)], same_from, stop)


def test_two_who_are_in_view_at_once_are_two_however_alike() -> None:
    tracks = [track(1, 0, 3, noise=0), track(1, 2, 6, noise=0, at=(300, 100))]
    assert who(tracks) == [[0], [2]]


def test_somebody_beside_their_own_picture_returns_as_one_of_the_two() -> None:
    tracks = [
        track(1, 0, 3),
        track(1, 0.5, 3, at=(300, 100)),
        track(1, 5, 8),
        track(1, 5.5, 8, at=(300, 100)),
    ]
    people = people_of(tracks, SAME_FROM)
    assert [len(person.tracks) for person in people] == [2, 2]


def alike(score: float, shots: int, within: float) -> list[Track]:
    """Two tracks whose shots have this score with each other's, and that among themselves."""
    own, between = 1 + within * 0.9, 1 + score * 0.9  # raw scores, where strangers' mean is 0.1
    random = np.random.default_rng(0)
    axes = np.linalg.qr(random.normal(size=(64, 2 + 2 * shots)))[0].T
    share = between / own
    middles = [axes[0], share * axes[0] + np.sqrt(1 - share**2) * axes[1]]
    tracks = []
    for number, middle in enumerate(middles):
        one = track(1, 8 * number, 8 * number + 6, shots=shots)
        vectors = [
            np.sqrt(own) * middle + np.sqrt(1 - own) * axes[2 + number * shots + shot]
            for shot in range(shots)
        ]
        changed = [
            replace(shot, template=replace(shot.template, vector=vector.astype(np.float32)))
            for shot, vector in zip(one.shots, vectors, strict=True)
        ]
        tracks.append(replace(one, shots=tuple(changed)))
    return tracks


@pytest.mark.parametrize(
    ("shots", "within", "score", "joined"),
    [
        (1, 0.0, -0.66, True),
        (1, 0.0, -0.7, False),
        (6, -0.4, -0.74, True),
        (6, -0.4, -0.78, False),
        (6, -0.02, -0.71, False),  # six shots of one moment are nearly one
    ],
)
def test_few_shots_have_to_be_more_alike_than_many(
    shots: int, within: float, score: float, joined: bool
) -> None:
    assert len(people_of(alike(score, shots, within), SAME_FROM)) == (1 if joined else 2)


def test_the_more_tracks_there_are_the_more_alike_two_have_to_be() -> None:
    others = [track(number, 20 * number, 20 * number + 3) for number in range(1, 60)]
    pair = alike(-0.6, 1, 0.0)
    assert len(people_of(pair, SAME_FROM)) == 1
    assert len(people_of([*pair, *others], SAME_FROM)) == 2 + len(others)
    assert len(people_of([*alike(-0.5, 1, 0.0), *others], SAME_FROM)) == 1 + len(others)


def test_tracks_without_shots_are_joined_by_place_alone() -> None:
    tracks = [
        track(1, 0, 3, shots=0, ended=Ending.SEGMENT),
        track(1, 3, 6, shots=0, ended=Ending.SEGMENT),
        track(1, 6, 9, shots=0, at=(400, 200)),
    ]
    assert who(tracks) == [[0, 3], [6]]


@pytest.mark.parametrize(
    ("ended", "gap_s", "moved", "joined"),
    [
        (Ending.SEGMENT, 0.1, 10, True),
        (Ending.SEGMENT, 0.1, 90, False),
        (Ending.SEGMENT, 3.0, 0, False),
        (Ending.LOST, 1.5, 10, True),
        (Ending.LOST, 1.5, 35, False),
        (Ending.LOST, 4.0, 0, False),
        (Ending.CUT, 0.1, 0, False),
    ],
)
def test_a_face_goes_on_by_place_where_it_was_shortly_before(
    ended: Ending, gap_s: float, moved: float, joined: bool
) -> None:
    tracks = [
        track(1, 0, 3, shots=0, ended=ended),
        track(1, 2.9 + gap_s, 8, shots=0, at=(100 + moved, 100)),
    ]
    assert len(people_of(tracks, SAME_FROM)) == (1 if joined else 2)
    assert len(people_of(tracks, None)) == (1 if joined else 2)


@pytest.mark.parametrize("ended", [Ending.SEGMENT, Ending.LOST])
def test_place_joins_nobody_whose_templates_contradict(ended: Ending) -> None:
    tracks = [track(1, 0, 3, ended=ended), track(2, 3.1, 6)]
    assert who(tracks) == [[0], [3.1]]
    assert who(tracks, None) == [[0], [3.1]]


def test_whoever_takes_the_place_of_somebody_lost_has_to_look_like_them() -> None:
    def of(score: float, ended: Ending) -> int:
        before, after = alike(score, 1, 0.0)
        looks = tuple(Look(look.time_s - 1.4, look.face) for look in after.looks)
        return len(people_of([replace(before, ended=ended), replace(after, looks=looks)], -0.3))

    assert of(-0.75, Ending.LOST) == 1
    assert of(-0.85, Ending.LOST) == 2
    assert of(-0.85, Ending.SEGMENT) == 1
    assert of(-0.75, Ending.CUT) == 2


def test_one_track_goes_on_with_one() -> None:
    tracks = [
        track(1, 0, 3, shots=0, ended=Ending.SEGMENT),
        track(1, 3, 6, shots=0, at=(104, 100)),
        track(2, 3, 6, shots=0, at=(120, 100)),
    ]
    assert [len(person.tracks) for person in people_of(tracks, None)] == [2, 1]


def test_those_who_met_at_the_end_of_a_segment_go_on_by_templates() -> None:
    tracks = [
        track(1, 0, 3, ended=Ending.SEGMENT, at=(100, 100)),
        track(2, 0, 3, ended=Ending.SEGMENT, at=(116, 100)),
        track(2, 3, 6, at=(102, 100)),
        track(1, 3, 6, at=(114, 100)),
    ]
    for person in people_of(tracks, None):
        first, second = person.tracks
        a, b = first.shots[0].template.vector, second.shots[0].template.vector
        assert float(a @ b) > 0.5


def test_nobody_is_seen_in_no_tracks() -> None:
    assert people_of([], SAME_FROM) == people_of([], None) == []
