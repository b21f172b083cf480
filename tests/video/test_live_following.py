"""Faces of a stream are followed as it comes, and whoever goes on with another is told apart."""

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import pytest

from likeness.terms import Image
from likeness.video import Ending, Following, Frame, LiveFollower, Seen, SeenFace
from likeness.video.movement import Movement
from tests.video.scenes import Actor, Painted, Scene, face_at, still, walk, without_image


def live(scene: Scene, every: int = 5, follower: LiveFollower | None = None) -> Iterator[Seen]:
    """Look at every fifth frame of a scene: five looks a second."""
    follower = follower or LiveFollower(Painted(scene), Following(look_every_s=every / scene.rate))
    for frame in list(scene.frames())[::every]:
        yield follower.see(frame)


def people_of(face: SeenFace) -> set[int]:
    return {shot.crop_jpeg[0] for shot in face.shots}


def told(seen: list[Seen]) -> dict[int, set[int]]:
    """Say who was told of under each number, where it was in no doubt."""
    found: dict[int, set[int]] = {}
    for one in seen:
        for face in one.faces:
            if not face.doubtful:
                found.setdefault(face.number, set()).update(people_of(face))
    return found


def test_a_face_is_told_of_at_once_and_its_end_once() -> None:
    scene = Scene([Actor(3, walk((100, 100), (500, 200), 1.0, 4.0))], 6.0)
    seen = list(live(scene))
    in_view = [one for one in seen if one.faces]
    assert in_view[0].time_s == pytest.approx(1.0, abs=0.21)
    assert in_view[0].faces[0].has_new_shot
    assert {face.number for one in seen for face in one.faces} == {1}
    assert people_of(in_view[-1].faces[0]) == {3}
    (ended,) = [ended for one in seen for ended in one.ended]
    assert (ended.number, ended.ended) == (1, Ending.LOST)
    assert ended.ends_s == in_view[-1].time_s
    assert ended.begins_s == in_view[0].time_s
    assert ended.shots == in_view[-1].faces[0].shots


def test_shots_are_half_a_second_apart_and_few_however_long_somebody_stays() -> None:
    scene = Scene([Actor(1, still(100, 100))], 120.0, rate=5.0)
    finder = Painted(scene)
    follower = LiveFollower(finder, Following(look_every_s=0.2))
    for seen in live(scene, every=1, follower=follower):
        (face,) = seen.faces
        times = [shot.look.time_s for shot in face.shots]
        assert len(times) <= 8
        assert not times[1:] or min(np.diff(times)) >= 0.5 - 1e-6
    assert times[-1] - times[0] > 60
    assert finder.templates_made < 30


def test_a_second_look_comes_half_a_second_after_the_first() -> None:
    scene = Scene([Actor(1, still(100, 100))], 2.0)
    shots = [len(one.faces[0].shots) for one in live(scene)]
    assert shots[:4] == [1, 1, 1, 2]


def test_a_much_better_look_takes_the_place_of_one_before() -> None:
    def looks(time_s: float) -> dict[str, object]:
        return {"sharpness": 90.0 if time_s >= 0.2 else 5.0}

    scene = Scene([Actor(1, still(100, 100), looks=looks)], 0.5)
    first, second, *_ = live(scene)
    assert [shot.look.time_s for shot in first.faces[0].shots] == [0.0]
    assert [shot.look.time_s for shot in second.faces[0].shots] == [0.2]
    assert second.faces[0].has_new_shot


def test_looks_that_are_not_fit_are_followed_and_never_shots() -> None:
    scene = Scene([Actor(1, still(100, 100), looks=lambda _: {"reasons": ("EXTREME_POSE",)})], 2.0)
    assert all(not one.faces[0].shots and not one.faces[0].has_new_shot for one in live(scene))


def test_nothing_is_recognised_without_templates() -> None:
    scene = Scene([Actor(1, still(100, 100))], 2.0)
    finder = Painted(scene)
    follower = LiveFollower(finder, Following(look_every_s=0.2, templates=False))
    assert all(len(one.faces) == 1 for one in live(scene, follower=follower))
    assert finder.templates_made == 0


@pytest.mark.parametrize("steps", [5, 4, 3])
def test_two_who_cross_keep_their_numbers(steps: int) -> None:
    actors = [
        Actor(1, walk((100, 100), (500, 106), 0, 5)),
        Actor(2, walk((500, 100), (100, 106), 0, 5)),
    ]
    seen = list(live(Scene(actors, 5.0), every=steps))
    people = told(seen)
    assert sorted(map(len, people.values())) == [1, 1]
    assert [face.doubtful for face in seen[-1].faces] == [False, False]
    assert any(face.doubtful for one in seen for face in one.faces)


def test_two_who_turn_back_when_they_meet_keep_their_numbers() -> None:
    """Place alone says that they cross."""

    def there_and_back(x: float, by: float) -> Actor:
        def at(time_s: float) -> tuple[float, float]:
            return x + by * min(time_s, 4 - time_s), 100.0

        return Actor(1 if by > 0 else 2, at)

    seen = list(live(Scene([there_and_back(100, 105), there_and_back(530, -105)], 4.0)))
    assert set(map(len, told(seen).values())) == {1}
    assert {face.number for face in seen[-1].faces} == {1, 2}


def test_somebody_else_at_the_same_place_is_somebody_else() -> None:
    actors = [Actor(1, still(100, 100, 0, 2)), Actor(2, still(104, 102, 2.4))]
    seen = list(live(Scene(actors, 5.0)))
    assert told(seen) == {1: {1}, 2: {2}}
    assert [(e.number, e.ended) for one in seen for e in one.ended] == [(1, Ending.LOST)]
    assert seen[-1].faces[0].begins_s == pytest.approx(2.4, abs=0.21)


def test_whoever_is_hidden_for_a_moment_goes_on() -> None:
    def at(time_s: float) -> tuple[float, float] | None:
        return None if 2.0 <= time_s < 2.7 else (100 + 10 * time_s, 100)

    seen = list(live(Scene([Actor(1, at)], 5.0)))
    assert {face.number for one in seen for face in one.faces} == {1}
    assert not any(one.ended for one in seen)


def test_whoever_comes_out_behind_another_has_the_same_number() -> None:
    def hidden(time_s: float) -> tuple[float, float] | None:
        return None if 2.0 <= time_s < 2.8 else (200.0 if time_s < 2 else 290.0, 100.0)

    seen = list(live(Scene([Actor(1, hidden), Actor(2, still(240, 100))], 5.0)))
    assert told(seen) == {1: {1}, 2: {2}}


def test_a_change_without_a_sign_is_noticed_by_looks_that_disagree() -> None:
    actors = [Actor(1, still(100, 100, 0, 3)), Actor(2, still(100, 100, 3))]
    seen = list(live(Scene(actors, 6.0)))
    last = seen[-1].faces[0]
    assert (last.number, people_of(last)) == (2, {2})
    (ended,) = [e for one in seen for e in one.ended]
    assert {shot.crop_jpeg[0] for shot in ended.shots} == {1}
    assert ended.ends_s < 3.0 <= last.begins_s


def test_a_cut_ends_everybody() -> None:
    actors = [Actor(1, still(100, 100, 0, 2)), Actor(2, still(104, 102, 2))]
    seen = list(live(Scene(actors, 4.0, shots=[2.0])))
    assert told(seen) == {1: {1}, 2: {2}}
    (ended,) = [e for one in seen for e in one.ended]
    assert (ended.number, ended.ended) == (1, Ending.CUT)
    assert ended.ends_s < 2.0 <= seen[-1].faces[0].begins_s


def test_a_cut_ends_those_who_have_no_shots_too() -> None:
    def looks(_: float) -> dict[str, object]:
        return {"reasons": ("EXTREME_POSE",)}

    actors = [
        Actor(1, still(100, 100, 0, 2), looks=looks),
        Actor(2, still(104, 102, 2), looks=looks),
    ]
    seen = list(live(Scene(actors, 4.0, shots=[2.0])))
    assert seen[-1].faces[0].number == 2
    assert [e.ended for one in seen for e in one.ended] == [Ending.CUT]


def test_a_flash_ends_nobody() -> None:
    scene = Scene([Actor(1, still(100, 100))], 4.0)
    frames = [
        Frame(f.number, f.time_s, np.full_like(f.thumbnail, 250), f.image) if n == 50 else f
        for n, f in enumerate(scene.frames())
    ]
    follower = LiveFollower(Painted(scene))
    seen = [follower.see(frame) for frame in frames[::5]]
    assert {face.number for one in seen for face in one.faces} == {1}


def test_numbers_are_never_given_twice() -> None:
    scene = Scene([Actor(1, still(100, 100)), Actor(2, still(300, 100))], 2.0)
    follower = LiveFollower(Painted(scene))
    first = list(live(scene, follower=follower))
    ended = follower.reset()
    assert [(one.number, one.ended) for one in ended] == [(1, Ending.CLIP), (2, Ending.CLIP)]
    assert follower.reset() == ()
    second = list(live(scene, follower=follower))
    assert {face.number for face in first[-1].faces} == {1, 2}
    assert {face.number for face in second[-1].faces} == {3, 4}
    assert second[0].faces[0].begins_s == 0.0


def test_nobody_is_followed_over_a_long_gap() -> None:
    scene = Scene([Actor(1, still(100, 100))], 8.0)
    follower = LiveFollower(Painted(scene))
    frames = [frame for frame in scene.frames() if not 2.0 < frame.time_s < 6.0]
    seen = [follower.see(frame) for frame in frames[::5]]
    assert [(e.number, e.ended) for one in seen for e in one.ended] == [(1, Ending.LOST)]
    assert seen[-1].faces[0].number == 2


def test_frames_without_pixels_and_those_that_come_late_show_nobody() -> None:
    scene = Scene([Actor(1, still(100, 100))], 2.0)
    follower = LiveFollower(Painted(scene))
    one, other, last, *_ = scene.frames()
    assert follower.see(other).looked
    assert not follower.see(one).looked
    seen = follower.see(without_image(last))
    assert (seen.looked, seen.faces, seen.ended) == (False, (), ())


def test_whoever_was_told_of_is_ended_once_and_is_in_view_no_more() -> None:
    """In a throng in which everybody meets all the time."""
    random = np.random.default_rng(5)
    actors = []
    for person in range(8):
        x, y, way, phase = random.uniform((100, 100, 60, 0), (540, 260, 120, 6))

        def at(
            time_s: float, x: float = x, y: float = y, way: float = way, phase: float = phase
        ) -> tuple[float, float] | None:
            if (time_s + phase) % 7 > 6:
                return None
            return x + way * float(np.sin(time_s + phase)), y + 20 * float(np.cos(2 * time_s))

        actors.append(Actor(person + 1, at))
    scene = Scene(actors, 30.0)
    follower = LiveFollower(Painted(scene))
    in_view: set[int] = set()
    over: set[int] = set()
    seen = list(live(scene, follower=follower))
    for one in seen:
        numbers = [face.number for face in one.faces]
        assert len(numbers) == len(set(numbers))
        assert not over & set(numbers)
        in_view |= set(numbers)
        for ended in one.ended:
            assert ended.number in in_view - over
            over.add(ended.number)
    over |= {ended.number for ended in follower.reset()}
    assert over == in_view
    assert sum(len(people) > 1 for people in told(seen).values()) <= 1


def test_the_times_of_what_is_seen_ascend() -> None:
    scene = Scene([Actor(1, still(100, 100))], 2.0)
    assert all(a.time_s < b.time_s for a, b in pairwise(live(scene)))


def test_a_place_where_nothing_moves_is_hardly_looked_at_and_whoever_enters_at_once() -> None:
    scene = Scene([Actor(1, still(300, 200, 20.1))], 22.0)
    finder = Painted(scene)
    seen = list(live(scene, follower=LiveFollower(finder)))
    assert all(one.looked for one in seen)
    assert len([number for number in finder.looked_at if number < 500]) <= 11
    assert next(one.time_s for one in seen if one.faces) == pytest.approx(20.2)


def test_those_in_view_are_looked_for_in_every_frame_though_nothing_moves() -> None:
    scene = Scene([Actor(1, still(300, 200))], 10.0)
    assert all(one.faces for one in live(scene))


def test_how_closely_an_empty_place_is_looked_at_where_something_moves() -> None:
    scene = Scene([], 4.0)
    asked: list[float | None] = []

    class _Asked(Painted):
        def locate(self, image, least=0.0, turn=0):  # type: ignore[no-untyped-def]
            asked.append(least)
            return super().locate(image, least)

    follower = LiveFollower(_Asked(scene))
    for number, frame in enumerate(list(scene.frames())[::5]):
        thumbnail = frame.thumbnail.copy()
        thumbnail[number] = 255 - thumbnail[number]
        follower.see(Frame(frame.number, frame.time_s, thumbnail, frame.image))
    assert asked.count(None) == 2
    assert asked.count(0.0) == 6
    assert {round(one, 6) for one in asked if one} == {27.2}


def test_whoever_is_smaller_is_looked_for_soon_where_something_moves_beside_those_in_view() -> None:
    """And every two seconds where only those who are followed move."""
    asked: list[tuple[float, float | None]] = []

    class _Asked(Painted):
        def locate(self, image, least=0.0, turn=0):  # type: ignore[no-untyped-def]
            faces = super().locate(image, least)
            asked.append((self.looked_at[-1] / 25, least))
            return [face for face in faces if face.box.width >= (least or 0.0)]

    actors = [
        Actor(1, walk((100, 60), (160, 60), 0, 12), size=60),
        Actor(2, walk((500, 100), (400, 300), 8.1, 12), size=24),
    ]
    scene = Scene(actors, 12.0)
    seen = list(live(scene, follower=LiveFollower(_Asked(scene))))
    closely = [time_s for time_s, least in asked if not least and time_s < 8.1]
    assert len(closely) <= 6
    came_s = next(one.time_s for one in seen if len(one.faces) == 2)
    assert came_s <= 8.7
    assert sum(not least for time_s, least in asked if time_s > 8.1) <= 6


def test_movement_is_what_nobody_in_view_explains() -> None:
    thumbnail = np.full((36, 64, 3), 100, np.uint8)
    image = Image.of(np.zeros((360, 640, 3), np.uint8))
    movement = Movement()
    assert movement.is_in(thumbnail)
    movement.begin(thumbnail)
    noisy, moved = thumbnail + np.uint8(5), thumbnail.copy()
    moved[20, 32] = 110
    assert not movement.is_in(noisy)
    assert movement.is_in(moved)
    movement.explain(image, [face_at(320, 150, 30)])  # whose body is below
    assert not movement.is_in(moved)
    moved[20, 5] = 110
    assert movement.is_in(moved)
    movement.explain(image, [face_at(-10, 390, 60)])
    movement.begin(moved)
    assert not movement.is_in(moved)
