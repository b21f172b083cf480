"""Faces are followed, segment by segment, and the same wherever one begins."""

from collections.abc import Sequence

import numpy as np
import pytest

from likeness.terms import Face, Image
from likeness.video import (
    Ending,
    Following,
    Segment,
    Track,
    follow,
    pack_tracks,
    people_of,
)
from tests.video.scenes import Actor, Painted, Scene, still, walk, without_image

SAME_FROM = -0.6


def tracks_in(segments: Sequence[Segment]) -> list[Track]:
    return [track for segment in segments for track in segment.tracks]


def followed(scene: Scene, **settings: float) -> list[Segment]:
    return list(follow(scene.frames(), Painted(scene), Following(**settings)))  # type: ignore[arg-type]


def person_of(track: Track) -> set[int]:
    return {shot.crop_jpeg[0] for shot in track.shots}


def test_a_face_is_one_track_from_its_first_sight_to_its_last() -> None:
    scene = Scene([Actor(3, walk((100, 100), (500, 200), 1.0, 4.0))], 6.0)
    (segment,) = followed(scene)
    (track,) = segment.tracks
    assert (segment.number, segment.from_s, segment.to_s) == (0, 0.0, 30.0)
    assert segment.frames == 150
    assert segment.looked_at == pytest.approx(60, abs=1)
    assert track.begins_s == pytest.approx(1.0, abs=0.1)
    assert track.ends_s == pytest.approx(4.0, abs=0.15)
    assert track.ended is Ending.LOST


def test_every_frame_is_looked_at_where_that_is_asked_for() -> None:
    scene = Scene([Actor(1, still(100, 100))], 2.0)
    (segment,) = followed(scene, look_every_s=0)
    assert segment.looked_at == segment.frames == 50
    assert len(segment.tracks[0].looks) == 50


def test_frames_whose_pixels_are_not_wanted_are_not_looked_at() -> None:
    scene = Scene([Actor(1, still(100, 100))], 2.0)
    frames = [
        frame if n % 5 == 0 else without_image(frame) for n, frame in enumerate(scene.frames())
    ]
    (segment,) = follow(frames, Painted(scene), Following(look_every_s=0))
    assert (segment.frames, segment.looked_at) == (50, 10)


def test_shots_are_half_a_second_apart_and_at_most_eight() -> None:
    scene = Scene([Actor(1, still(100, 100))], 20.0)
    finder = Painted(scene)
    (segment,) = follow(scene.frames(), finder)
    (track,) = segment.tracks
    times = [shot.look.time_s for shot in track.shots]
    assert 4 <= len(times) <= 8
    assert min(np.diff(times)) >= 0.5
    assert times[0] < 5
    assert times[-1] > 15
    assert finder.templates_made <= 24


def test_the_best_looks_are_taken_and_those_that_are_not_fit_never() -> None:
    def looks(time_s: float) -> dict[str, object]:
        if time_s < 3:
            return {"reasons": ("EXTREME_POSE",), "sharpness": 99}
        return {"sharpness": 90 if 4.0 <= time_s < 4.1 else 40}

    scene = Scene([Actor(1, still(100, 100), looks=looks)], 6.0)
    (segment,) = followed(scene)
    (track,) = segment.tracks
    assert len(track.looks) == segment.looked_at
    assert min(shot.look.time_s for shot in track.shots) >= 3
    assert max(
        track.shots, key=lambda s: s.look.face.quality.sharpness
    ).look.time_s == pytest.approx(4.05, abs=0.06)


def test_nothing_is_recognised_without_templates() -> None:
    scene = Scene([Actor(1, still(100, 100))], 3.0)
    finder = Painted(scene)
    (segment,) = follow(scene.frames(), finder, Following(templates=False))
    assert segment.tracks[0].shots == ()
    assert finder.templates_made == 0


def test_a_cut_ends_every_track() -> None:
    scene = Scene([Actor(1, still(100, 100, 0, 2)), Actor(2, still(104, 102, 2))], 4.0, shots=[2.0])
    (segment,) = followed(scene)
    first, second = segment.tracks
    assert first.ended is Ending.CUT
    assert first.ends_s < 2.0 <= second.begins_s
    assert (person_of(first), person_of(second)) == ({1}, {2})


def test_tracks_end_with_their_segment_and_go_on_as_the_same_person() -> None:
    scene = Scene([Actor(1, walk((100, 100), (500, 200), 0, 9)), Actor(2, still(300, 300))], 9.0)
    segments = list(follow(scene.frames(), Painted(scene), segment_s=3.0))
    assert [segment.number for segment in segments] == [0, 1, 2]
    endings = [{track.ended for track in segment.tracks} for segment in segments]
    assert endings == [{Ending.SEGMENT}, {Ending.SEGMENT}, {Ending.CLIP}]
    for same_from in (None, SAME_FROM):
        people = people_of(tracks_in(segments), same_from)
        assert [len(person.tracks) for person in people] == [3, 3]
        assert [len(person.intervals()) for person in people] == [1, 1]


def test_a_cut_right_at_the_end_of_a_segment_is_a_cut() -> None:
    scene = Scene([Actor(1, still(100, 100, 0, 3)), Actor(2, still(104, 102, 3))], 6.0, shots=[3.0])
    segments = list(follow(scene.frames(), Painted(scene), segment_s=3.0))
    assert segments[0].tracks[0].ended is Ending.CUT
    assert len(people_of(tracks_in(segments), None)) == 2


@pytest.mark.parametrize("first", [1, 2, 3])
def test_whoever_begins_at_a_segment_gets_the_same_as_who_came_to_it(first: int) -> None:
    actors = [
        Actor(1, walk((100, 100), (500, 120), 0, 9)),
        Actor(2, walk((500, 100), (100, 130), 0, 9)),
        Actor(3, still(300, 250, 4.2)),
    ]
    scene = Scene(actors, 10.0, shots=[3.1, 5.9])
    whole = [segment for segment in follow(scene.frames(), _Steady(scene), segment_s=3.0)]
    resumed = list(follow(scene.frames(3.0 * first), _Steady(scene), segment_s=3.0, first=first))
    passed_over = list(follow(scene.frames(), _Steady(scene), segment_s=3.0, first=first))
    for segments in (resumed, passed_over):
        assert [one.number for one in segments] == [one.number for one in whole[first:]]
        for one, other in zip(segments, whole[first:], strict=True):
            assert pack_tracks(one.tracks) == pack_tracks(other.tracks)
            assert (one.frames, one.looked_at) == (other.frames, other.looked_at)


class _Steady(Painted):
    """Makes the same template of the same pixels."""

    def templates(self, image, faces):  # type: ignore[no-untyped-def]
        self.templates_made = 0
        return super().templates(image, faces)


def test_segments_without_frames_are_given_all_the_same() -> None:
    scene = Scene([Actor(1, still(100, 100))], 10.0)
    frames = [frame for frame in scene.frames() if not 2.0 <= frame.time_s < 8.5]
    segments = list(follow(frames, Painted(scene), segment_s=3.0))
    assert [(one.number, one.frames > 0) for one in segments] == [
        (0, True),
        (1, False),
        (2, True),
        (3, True),
    ]


def test_no_frames_come_to_no_segment() -> None:
    scene = Scene([], 1.0)
    assert list(follow([], Painted(scene))) == []
    assert list(follow(scene.frames(), Painted(scene), first=1)) == []


def test_one_frame_is_a_track_of_one_look() -> None:
    scene = Scene([Actor(4, still(100, 100))], 0.04)
    (segment,) = followed(scene)
    (track,) = segment.tracks
    assert len(track.looks) == len(track.shots) == 1
    assert (track.begins_s, track.ended) == (0.0, Ending.CLIP)


@pytest.mark.parametrize("every_s", [1.0, 2.0])
def test_a_face_is_followed_through_looks_that_are_far_apart(every_s: float) -> None:
    scene = Scene([Actor(1, still(100, 100)), Actor(2, walk((300, 100), (500, 100), 0, 40))], 40.0)
    segments = list(follow(scene.frames(), Painted(scene), Following(look_every_s=every_s)))
    assert [len(segment.tracks) for segment in segments] == [2, 2]
    people = people_of(tracks_in(segments), None)
    assert [len(person.intervals()) for person in people] == [1, 1]


def test_frames_out_of_order_are_passed_over() -> None:
    scene = Scene([Actor(1, still(100, 100))], 2.0)
    frames = list(scene.frames())
    (segment,) = follow([*frames[:30], *frames[10:20], *frames[30:]], Painted(scene))
    times = [look.time_s for look in segment.tracks[0].looks]
    assert times == sorted(set(times))


@pytest.mark.parametrize("look_every_s", [0.0, 0.1])
def test_frames_that_are_searched_at_a_time_give_the_same(look_every_s: float) -> None:
    def tracks(workers: int) -> list[tuple[Ending, list[list[float]], list[float]]]:
        scene = Scene(
            [
                Actor(1, walk((100, 100), (500, 200), 0.5, 4.0)),
                Actor(2, still(300, 250), size=60.0),
                Actor(3, walk((500, 100), (100, 200), 2.0, 5.0)),
            ],
            6.0,
            shots=[3.0],
        )
        segments = follow(
            scene.frames(), Painted(scene), Following(look_every_s), segment_s=2.0, workers=workers
        )
        return [
            (track.ended, track.path().tolist(), [shot.look.time_s for shot in track.shots])
            for track in tracks_in(list(segments))
        ]

    assert tracks(1) == tracks(3)


class Recalling(Painted):
    """Remembers how closely it was asked to look; those whose heads lie are seen by None alone."""

    def __init__(self, scene: Scene, *, lying: bool = False) -> None:
        super().__init__(scene)
        self.asked: list[float | None] = []
        self.turns: list[int] = []
        self._lying = lying

    def locate(self, image: Image, least: float | None = 0.0, turn: int = 0) -> Sequence[Face]:
        self.asked.append(least)
        self.turns.append(turn)
        faces = super().locate(image, least)
        return faces if least is None or not self._lying else []


def test_faces_of_any_size_are_looked_for_in_every_third_look() -> None:
    scene = Scene([Actor(1, still(300, 200), size=100.0)], 6.0)
    finder = Recalling(scene)
    list(follow(scene.frames(), finder))
    assert finder.asked[0] is None
    later = finder.asked[15:]
    assert later.count(0.0) == pytest.approx(len(later) / 3, abs=1)
    between = [least for least in later if least]
    assert len(later) == later.count(0.0) + len(between)
    assert between == pytest.approx([85.0] * len(between), abs=15)


def test_looks_for_any_size_and_for_large_faces_take_turns_of_their_own() -> None:
    """Where one in four were for any size, they would all be of one turn."""
    scene = Scene([Actor(1, still(300, 200), size=100.0)], 4.0)
    finder = Recalling(scene)
    list(follow(scene.frames(), finder))
    for is_large in (False, True):
        looks = zip(finder.asked, finder.turns, strict=True)
        turns = [turn for least, turn in looks if bool(least) is is_large]
        assert turns == [*range(len(turns))]
        assert len(turns) > 5


def test_frames_that_show_nobody_are_searched_as_photographs_once_a_second() -> None:
    scene = Scene([], 6.0)
    finder = Recalling(scene)
    list(follow(scene.frames(), finder))
    assert finder.asked.count(None) == 6
    assert set(finder.asked) == {None, 0.0}


def test_who_lies_on_their_side_is_followed_too() -> None:
    scene = Scene([Actor(1, still(300, 200), size=100.0)], 6.0)
    (segment,) = follow(scene.frames(), Recalling(scene, lying=True))
    (track,) = segment.tracks
    assert track.ends_s - track.begins_s > 5
    assert len(track.looks) > 30
    assert np.diff(track.path()[2:, 0]).max() < 0.5
