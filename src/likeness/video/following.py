"""Follows faces through a clip, segment by segment.

A segment is worked on by itself: neither its tracks nor its cuts depend on what was before, so that
a clip is resumed at any of them and gives the same. Of what comes after, cuts need a moment.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from functools import partial
from types import TracebackType
from typing import Self

import numpy as np

from likeness.terms import Image
from likeness.video.clip import Frame
from likeness.video.cuts import AHEAD_S, CutFinder
from likeness.video.finds import SURE, Closeness, Finds, find_in
from likeness.video.looks import Ending, FrameFinder, Look, Segment, Track
from likeness.video.shots import Cutout, cut_out
from likeness.video.tracker import Tracker
from likeness.video.trails import Trail, tracks_of

LOOK_EVERY_S = 0.1
"""How often faces are looked for where nobody says otherwise."""


@dataclass(frozen=True, slots=True)
class Following:
    """How closely faces are followed.

    `look_every_s` is the time between two frames in which faces are looked for; 0 looks at all.
    `lost_after_s` is how long a face may be out of sight within one track. Without `templates`
    there are no shots, and faces are followed by place alone. A face begins a track from a
    confidence of `sure_from` on, and goes on with one whatever it is.
    """

    look_every_s: float = LOOK_EVERY_S
    lost_after_s: float = 1.0
    templates: bool = True
    sure_from: float = SURE


def follow(
    frames: Iterable[Frame],
    finder: FrameFinder,
    settings: Following = Following(),
    *,
    segment_s: float = 30.0,
    first: int = 0,
    workers: int = 1,
) -> Iterator[Segment]:
    """Follow every face; give each segment of a clip when it is done, in order.

    Frames ascend in time. `first` is the number of the segment to begin with: frames before it are
    passed over. With several `workers` as many frames are searched at a time, on threads, while
    others are awaited and followed; what comes of them is the same.
    """
    with _Workers(workers) as pool:
        yield from _follow(frames, finder, settings, segment_s, first, pool)


def _follow(
    frames: Iterable[Frame],
    finder: FrameFinder,
    settings: Following,
    segment_s: float,
    first: int,
    pool: "_Workers",
) -> Iterator[Segment]:
    before: _Segment | None = None
    current = _Segment(first, segment_s, finder, settings, pool)
    last_s = -np.inf
    for frame in frames:
        if frame.time_s <= last_s or frame.time_s < current.from_s:
            continue
        last_s = frame.time_s
        if before is not None and last_s > before.to_s + AHEAD_S:
            yield before.done(Ending.SEGMENT)
            before = None
        while last_s >= current.to_s:
            if before is not None:
                yield before.done(Ending.SEGMENT)
            before = current
            current = _Segment(current.number + 1, segment_s, finder, settings, pool)
        if before is not None:
            before.foresee(frame)
        current.see(frame)
    if before is not None:
        yield before.done(Ending.SEGMENT)
    if current.frames:
        yield current.done(Ending.CLIP)


class _Workers:
    """Threads that search frames, never more than a few ahead of what they have done."""

    def __init__(self, count: int) -> None:
        self._most = 2 * count
        # One alone is as fast as whoever waits for it.
        self._threads = ThreadPoolExecutor(count) if count > 1 else None
        self._begun: deque[Future[_Searched]] = deque()

    def begin(self, search: Callable[[], "_Searched"]) -> "Future[_Searched]":
        """Begin a search; wait for those before, if too many are not done."""
        if self._threads is None:
            future = Future[_Searched]()
            future.set_result(search())
            return future
        while len(self._begun) >= self._most:
            wait([self._begun.popleft()])
        self._begun.append(self._threads.submit(search))
        return self._begun[-1]

    def __enter__(self) -> Self:
        """Use them until the end of the block."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End them, and what nobody waits for any more."""
        if self._threads is not None:
            self._threads.shutdown(cancel_futures=True)


@dataclass(frozen=True, slots=True, eq=False)
class _Searched:
    """What is found in a frame, and what is kept of those that somebody is recognised by."""

    finds: Finds
    cutouts: Sequence[Cutout | None]


@dataclass(frozen=True, slots=True, eq=False)
class _Search:
    """A frame that is searched, for faces of at least so many pixels, and what comes of it."""

    time_s: float
    least: float | None
    found: "Future[_Searched]"


class _Segment:
    """A segment that is worked on."""

    def __init__(
        self,
        number: int,
        segment_s: float,
        finder: FrameFinder,
        settings: Following,
        pool: _Workers,
    ) -> None:
        self.number = number
        self.from_s = number * segment_s
        self.to_s = (number + 1) * segment_s
        self.frames = 0
        self._looked_at = 0
        # Looks for faces of any size, and for large ones.
        self._turns = {False: 0, True: 0}
        self._finder = finder
        self._settings = settings
        self._pool = pool
        self._cuts = CutFinder()
        self._waiting: deque[_Search] = deque()
        self._closeness = Closeness()
        self._slot = -1
        self._next_s = np.inf
        self._tracker = Tracker(settings.lost_after_s)
        self._trails: dict[int, Trail] = {}
        self._tracks: list[Track] = []

    def see(self, frame: Frame) -> None:
        """Take a frame of this segment."""
        self.frames += 1
        self._cuts.see(frame.time_s, frame.thumbnail)
        if frame.image is not None and self._is_due(frame.time_s):
            self._looked_at += 1
            image = frame.image
            least = self._closeness.least_at(frame.time_s, max(image.width, image.height))
            turn = self._turns[bool(least)]
            self._turns[bool(least)] += 1
            search = partial(self._search, image, frame.time_s, least, turn)
            self._waiting.append(_Search(frame.time_s, least, self._pool.begin(search)))
        self._go_on(self._cuts.known_until_s)

    def foresee(self, frame: Frame) -> None:
        """Take a frame from after this segment, which tells of cuts at its end."""
        self._next_s = min(self._next_s, frame.time_s)
        self._cuts.see(frame.time_s, frame.thumbnail)

    def done(self, ending: Ending) -> Segment:
        """End what goes on, and give the segment."""
        self._cuts.finish()
        self._go_on(np.inf)
        at_end = ending is Ending.SEGMENT and self._cuts.take_until(self._next_s)
        self._end(Ending.CUT if at_end else ending)
        tracks = sorted(
            self._tracks, key=lambda track: (track.begins_s, track.looks[0].face.box.left)
        )
        return Segment(
            self.number, self.from_s, self.to_s, tuple(tracks), self.frames, self._looked_at
        )

    def _is_due(self, time_s: float) -> bool:
        if self._settings.look_every_s <= 0:
            return True
        # A hair more, lest a frame right at its time is counted to the one before.
        slot = int((time_s - self.from_s) / self._settings.look_every_s + 1e-3)
        due = slot != self._slot
        self._slot = slot
        return due

    def _search(self, image: Image, time_s: float, least: float | None, turn: int) -> _Searched:
        finds = find_in(image, self._finder, least, turn)
        return _Searched(
            finds,
            [
                cut_out(image, Look(time_s, face), goodness)
                if goodness > 0 and self._settings.templates
                else None
                for face, goodness in zip(finds.faces, finds.goodness, strict=True)
            ],
        )

    def _go_on(self, until_s: float) -> None:
        """Follow the faces of frames before which every cut is known."""
        while self._waiting and self._waiting[0].time_s < until_s:
            search = self._waiting.popleft()
            if self._cuts.take_until(search.time_s):
                self._end(Ending.CUT)
            found = search.found.result()
            self._closeness.learn(search.least, found.finds.faces)
            self._follow(search.time_s, found.finds, found.cutouts)

    def _follow(self, time_s: float, seen: Finds, cutouts: Sequence[Cutout | None]) -> None:
        step = self._tracker.look(time_s, seen.sides(), seen.sure(self._settings.sure_from))
        for number in step.lost:
            self._trails[number].end(Ending.LOST)
        for which, number in enumerate(step.numbers.tolist()):
            if number >= 0:
                trail = self._trails.get(number)
                if trail is None:
                    trail = self._trails[number] = Trail(self._finder)
                look = Look(time_s, seen.faces[which])
                trail.add(look, cutouts[which], doubtful=bool(step.doubtful[which]))

    def _end(self, ending: Ending) -> None:
        self._tracks += tracks_of(self._trails.values(), ending)
        self._trails = {}
        self._tracker = Tracker(self._settings.lost_after_s)
