"""People who meet, cross and hide each other stay who they are."""

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from likeness.video import Following, Look, Track, follow, people_of
from tests.video.scenes import Actor, Painted, Place, Scene, still, walk

SAME_FROM = -0.6


def tracks_of(scene: Scene, templates: bool = True) -> list[Track]:
    (segment,) = follow(scene.frames(), Painted(scene), Following(templates=templates))
    return list(segment.tracks)


def true_person(scene: Scene, look: Look) -> int:
    number = round(look.time_s * scene.rate)
    return next(person for person, face in scene.truth[number] if face.box == look.face.box)


def mistakes(scene: Scene, people: Sequence[Sequence[Look]]) -> int:
    """Count looks that are among those of somebody else."""
    wrong = 0
    for looks in people:
        true = [true_person(scene, look) for look in looks]
        wrong += len(true) - int(np.bincount(true).max())
    return wrong


def there_and_back(
    a: Place, b: Place, turn_s: float, length_s: float
) -> Callable[[float], Place | None]:
    """Go to a place and back again."""
    there, back = walk(a, b, 0, turn_s), walk(b, a, turn_s, length_s)
    return lambda time_s: there(time_s) or back(time_s)


CROSSING = [
    Actor(1, walk((60, 150), (560, 150), 0, 5)),
    Actor(2, walk((560, 158), (60, 158), 0, 5)),
]
# Who is behind is hidden while they meet, and both go back where they came from.
TURNING = [
    Actor(1, there_and_back((100, 150), (300, 150), 2.5, 5)),
    Actor(2, there_and_back((500, 155), (305, 155), 2.5, 5)),
]
PASSING = [
    Actor(1, still(300, 150)),
    Actor(2, walk((100, 152), (500, 152), 0, 5)),
]


@pytest.mark.parametrize("actors", [CROSSING, TURNING, PASSING], ids=["cross", "turn", "pass"])
def test_who_meet_stay_who_they_are(actors: list[Actor]) -> None:
    scene = Scene(actors, 5.0)
    people = people_of(tracks_of(scene), SAME_FROM)
    assert len(people) == 2
    assert mistakes(scene, [person.looks for person in people]) <= 3


def test_who_walk_past_each_other_are_followed_by_place_alone_too() -> None:
    scene = Scene(CROSSING, 5.0)
    tracks = tracks_of(scene, templates=False)
    assert len(tracks) == 2
    assert mistakes(scene, [track.looks for track in tracks]) <= 3


def test_those_who_sit_side_by_side_are_never_in_doubt() -> None:
    def sways(x: float) -> Callable[[float], Place | None]:
        return lambda time_s: (x + 3 * np.sin(5 * time_s + x), 150)

    scene = Scene([Actor(n, sways(60 + 44 * n)) for n in range(1, 9)], 10.0)
    tracks = tracks_of(scene)
    assert len(tracks) == 8
    assert {len(track.shots) >= 4 for track in tracks} == {True}
    assert mistakes(scene, [track.looks for track in tracks]) == 0


def test_somebody_who_takes_a_place_unseen_is_another_person() -> None:
    """Between two looks one goes and another stands there: only templates can tell."""
    scene = Scene([Actor(1, still(300, 150, 0, 4)), Actor(2, still(303, 151, 4))], 8.0)
    first, second = sorted(tracks_of(scene), key=lambda track: track.begins_s)
    assert first.ends_s < 4.0 <= second.begins_s
    assert len(people_of([first, second], SAME_FROM)) == 2
    assert len(tracks_of(scene, templates=False)) == 1


def test_a_face_that_turns_away_and_returns_is_no_new_person() -> None:
    def at(time_s: float) -> Place | None:
        return None if 3.0 <= time_s < 5.5 else (300, 150)

    scene = Scene([Actor(1, at), Actor(2, still(100, 150))], 9.0)
    people = people_of(tracks_of(scene), SAME_FROM)
    assert len(people) == 2
    assert [len(person.intervals()) for person in people] == [1, 2] or [
        len(person.intervals()) for person in people
    ] == [2, 1]


def test_a_face_that_is_missed_now_and_then_is_one_track() -> None:
    random = np.random.default_rng(0)
    missed = set((random.permutation(250)[:90]).tolist())

    def at(time_s: float) -> Place | None:
        return None if round(25 * time_s) in missed else (100 + 40 * time_s, 150)

    (track,) = tracks_of(Scene([Actor(1, at)], 10.0))
    assert track.begins_s < 0.3
    assert track.ends_s > 9.7


def test_what_is_hardly_a_face_goes_on_with_a_track_and_begins_none() -> None:
    def unsure(time_s: float) -> dict[str, object]:
        return {"confidence": 0.4 if time_s >= 1 else 0.99}

    never: Callable[[float], dict[str, object]] = lambda time_s: {"confidence": 0.4}  # noqa: E731
    scene = Scene(
        [Actor(1, still(100, 150), looks=unsure), Actor(2, still(400, 100), looks=never)], 4
    )
    (track,) = tracks_of(scene)
    assert track.ends_s > 3.8
    assert {true_person(scene, look) for look in track.looks} == {1}


@pytest.mark.parametrize("seed", range(4))
def test_of_a_crowd_that_mills_about_every_look_is_in_one_track_at_most(seed: int) -> None:
    random = np.random.default_rng(seed)

    def mills(person: int) -> Callable[[float], Place | None]:
        middle, reach = random.uniform((150, 100), (450, 250)), random.uniform(20, 120, 2)
        speed, away = random.uniform(0.5, 3, 2), random.uniform(0, 8)

        def at(time_s: float) -> Place | None:
            if away <= time_s < away + 1.5:
                return None
            x, y = middle + reach * np.sin(speed * time_s + person)
            return float(x), float(y)

        return at

    scene = Scene([Actor(person, mills(person)) for person in range(1, 13)], 8.0)
    tracks = tracks_of(scene)
    looks = [id(look) for track in tracks for look in track.looks]
    assert len(looks) == len(set(looks))
    for track in tracks:
        times = [look.time_s for look in track.looks]
        assert times == sorted(set(times))
        assert {shot.look for shot in track.shots} <= set(track.looks)
    people = people_of(tracks, SAME_FROM)
    assert mistakes(scene, [person.looks for person in people]) <= 0.05 * len(looks)
