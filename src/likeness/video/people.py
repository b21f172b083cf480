"""Joins tracks that are one person's: across segments by place, and after a break by templates.

A wrong join is worse than a wrong split, because names follow joins. So tracks that are in view at
once are never joined, few shots have to be more alike than many, the more so the more tracks are
compared, and place counts only where the time between is short and no template contradicts it.
docs/video.md has what this rests on.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from heapq import heappop, heappush

import numpy as np
from numpy.typing import NDArray

from likeness.terms import LEAST_UNIT, in_batches
from likeness.video.looks import Ending, Person, Shot, Track
from likeness.video.shots import mean_score
from likeness.video.trails import APART

# A track that ended with a segment, and one that was lost, may go on after so long.
_SEGMENT_GAP_S = 2.5
_LOST_GAP_S = 2.0
# So far from where it was expected, in sizes of the face; speed is believed for half a second.
_REACH = 1.0
_LOST_REACH = 0.6
_SPEED_S = 0.5
_MOST_OF_SIZE = 0.6  # in natural logarithms
# Whoever comes back to where somebody was lost has to look like them: one stranger in a hundred
# does. Of those who go on with the next segment it is enough that they do not look like strangers.
_RETURNED = -0.78
# A decade of the rate at which strangers score as high is about so much. In a clip of so many pairs
# of tracks the score asked for decides; the more there are, the more it takes, within a decade.
_DECADE = 0.08
_USUAL_PAIRS = 500
# The mean score of many shots may be so much lower than that of one each, for the same rate.
_OF_MANY = 0.09
# Shots that are as far apart, on average, are as different as any photographs of one person.
_VARIED = -0.4
# So many tracks are compared with each other at once, each time with whoever was joined before:
# time and memory would else grow with the square of them, which a film with many cuts has.
_AT_ONCE = 500

Rows = NDArray[np.float32]


def people_of(
    tracks: Iterable[Track],
    same_from: float | None,
    go_on: Callable[[], object] = lambda: None,
) -> list[Person]:
    """Say who is who: give each person's tracks, in the order in which people are seen first.

    `same_from` is the score from which one shot of each tells that two tracks are one person's, in
    a clip with some thirty tracks: fewer tracks, and more shots that differ, may score less. None
    joins by place alone. `go_on` is called all the time: what it raises ends this.
    """
    ordered = sorted(tracks, key=lambda track: (track.begins_s, track.looks[0].face.box.left))
    chains = _by_place(ordered, go_on)
    if same_from is not None:
        chains = _by_templates(chains, same_from, go_on)
    chains.sort(key=lambda chain: (chain[0].begins_s, chain[0].looks[0].face.box.left))
    return [Person(number, tuple(chain)) for number, chain in enumerate(chains)]


def _by_place(tracks: Sequence[Track], go_on: Callable[[], object]) -> list[list[Track]]:
    """Chain tracks each of which goes on where the one before it ended."""
    begins = [track.begins_s for track in tracks]
    near: list[tuple[float, int, int]] = []
    for which, track in enumerate(tracks):
        go_on()
        if track.ended not in (Ending.SEGMENT, Ending.LOST):
            continue
        gap_s = _SEGMENT_GAP_S if track.ended is Ending.SEGMENT else _LOST_GAP_S
        start, stop = bisect_right(begins, track.ends_s), bisect_right(begins, track.ends_s + gap_s)
        for other in range(start, stop):
            cost = _cost(track, tracks[other])
            if cost is not None:
                near.append((cost, which, other))
    after: dict[int, int] = {}
    follows: set[int] = set()
    for _, which, other in sorted(near):
        if which not in after and other not in follows:
            after[which] = other
            follows.add(other)
    chains = []
    for which in range(len(tracks)):
        if which in follows:
            continue
        chain = [which]
        while chain[-1] in after:
            chain.append(after[chain[-1]])
        chains.append([tracks[one] for one in chain])
    return chains


def _cost(track: Track, after: Track) -> float | None:
    """Say how unlikely it is that a track goes on with another; None where it cannot be."""
    expected, size = _place_at(track, after.begins_s)
    place, size_after = _place_at(after, after.begins_s)
    apart = float(np.hypot(*(expected - place))) / ((size + size_after) / 2)
    of_size = abs(float(np.log(size_after / size)))
    reach = _REACH if track.ended is Ending.SEGMENT else _LOST_REACH
    if apart > reach or of_size > _MOST_OF_SIZE:
        return None
    alike = mean_score(track.shots, after.shots)
    if alike is None:
        return apart + of_size + 0.4
    least = APART if track.ended is Ending.SEGMENT else _RETURNED
    return None if alike < least else apart + of_size - alike / 2


def _place_at(track: Track, time_s: float) -> tuple[NDArray[np.float64], float]:
    """Say where the middle of a face is after its last look, and how large it is, in pixels.

    Of a track that has not begun before, say where it begins.
    """
    first = track.begins_s >= time_s
    times = [look.time_s for look in track.looks]
    start = 0 if first else bisect_left(times, track.ends_s - _SPEED_S)
    boxes = [look.face.box for look in (track.looks[:1] if first else track.looks[start:])]
    middles = np.array([((b.left + b.right) / 2, (b.top + b.bottom) / 2) for b in boxes])
    last = boxes[-1]
    size = max(1.0, float(np.sqrt(max(last.width, 1.0) * max(last.height, 1.0))))
    if first or len(boxes) < 3:
        return middles[-1], size
    speed = (middles[-1] - middles[0]) / (times[-1] - times[start])
    return middles[-1] + speed * min(time_s - track.ends_s, _SPEED_S), size


@dataclass(slots=True, eq=False)
class _Group:
    """Tracks that are one person's so far, in order; `row` is the sum of their shots' rows.

    `near` are the numbers of other groups that may be the same person, or may once they have grown.
    `varied` is how many different shots say as much: those of one moment are nearly one.
    """

    tracks: list[Track]
    row: Rows
    shots: int
    near: set[int] = field(default_factory=set)
    varied: float = field(init=False, default=1.0)

    def __post_init__(self) -> None:
        if self.shots > 1:
            apart = self._product(self) / (self.shots * (self.shots - 1))
            self.varied = 1 + (self.shots - 1) * min(1.0, max(0.0, apart / _VARIED))

    def mean_score(self, other: "_Group") -> float:
        """Give the mean score of all pairs of shots."""
        return self._product(other) / (self.shots * other.shots)

    def is_in_view_with(self, other: "_Group") -> bool:
        """Whether some of both are in view at once; none of one group are."""
        few, many = sorted((self.tracks, other.tracks), key=len)
        for track in few:
            after = bisect_left(many, track.begins_s, key=lambda one: one.begins_s)
            if after and many[after - 1].ends_s >= track.begins_s:
                return True
            if after < len(many) and many[after].begins_s <= track.ends_s:
                return True
        return False

    def _product(self, other: "_Group") -> float:
        return float(self.row[:-1] @ other.row[:-1]) - float(self.row[-1] * other.row[-1])


def _by_templates(
    chains: list[list[Track]], same_from: float, go_on: Callable[[], object]
) -> list[list[Track]]:
    """Join the two that are most alike, again and again (average linkage).

    Scores are products here, as in the grouping of pictures, so that those of two groups are the
    product of their sums. Joining brings nobody nearer than the nearer part was, so only pairs that
    might reach the threshold at first are ever looked at. Of very many, some are joined at a time.
    """
    kept = [chain for chain in chains if not any(track.shots for track in chain)]
    shot = [chain for chain in chains if any(track.shots for track in chain)]
    if len(shot) < 2:
        return chains
    joining = _Joining(len(shot), same_from, go_on)
    for some in in_batches(shot, _AT_ONCE):
        joining.add(some)
    return kept + joining.joined


class _Joining:
    """Groups of so many tracks in all, and which of them may be one person's."""

    def __init__(self, count: int, same_from: float, go_on: Callable[[], object]) -> None:
        compared = float(np.clip(np.log10(count * (count - 1) / 2 / _USUAL_PAIRS), -1, 1))
        self._same_from = same_from + _DECADE * compared
        self._go_on = go_on
        self._groups: dict[int, _Group] = {}
        self._next = 0
        self._waiting: list[tuple[float, int, int]] = []

    @property
    def joined(self) -> list[list[Track]]:
        """The tracks of each group."""
        return [group.tracks for group in self._groups.values()]

    def add(self, chains: Sequence[list[Track]]) -> None:
        """Add some, and join who may be joined."""
        before = len(self._groups)
        for chain in chains:
            shots = [shot for track in chain for shot in track.shots]
            self._keep(_Group(chain, *_sum_of_rows(shots)))
        numbers = list(self._groups)
        means = np.stack([group.row / group.shots for group in self._groups.values()])
        facing = np.hstack([means[:, :-1], -means[:, -1:]])
        for place in range(before, len(numbers)):
            self._go_on()
            scores = facing[:place] @ means[place]
            for other in np.flatnonzero(scores >= self._same_from - _OF_MANY - 1e-3).tolist():
                self._consider(numbers[place], numbers[other])
        self._join()

    def _join(self) -> None:
        while self._waiting:
            _, a, b = heappop(self._waiting)
            if a not in self._groups or b not in self._groups:
                continue
            self._go_on()
            one, other = self._groups.pop(a), self._groups.pop(b)
            tracks = sorted(one.tracks + other.tracks, key=lambda track: track.begins_s)
            number = self._keep(_Group(tracks, one.row + other.row, one.shots + other.shots))
            for near in sorted((one.near | other.near) & self._groups.keys()):
                self._consider(number, near)

    def _keep(self, group: _Group) -> int:
        number, self._next = self._next, self._next + 1
        self._groups[number] = group
        return number

    def _consider(self, a: int, b: int) -> None:
        """Note two groups that may be joined, now or when they have grown."""
        one, other = self._groups[a], self._groups[b]
        score = one.mean_score(other)
        if score < self._same_from - _OF_MANY or one.is_in_view_with(other):
            return
        one.near.add(b)
        other.near.add(a)
        both = 2 / (1 / one.varied + 1 / other.varied)
        if score >= self._same_from - _OF_MANY * (1 - 1 / both):
            heappush(self._waiting, (-score, a, b))


def _sum_of_rows(shots: Sequence[Shot]) -> tuple[Rows, int]:
    """Sum what scores are products of: with u = 1 / sqrt(1 - m) one is (u a)(w b) - u w."""
    vectors = np.stack([shot.template.vector for shot in shots])
    means = np.array([[shot.template.cohort.mean] for shot in shots], np.float32)
    units = 1 / np.sqrt(np.maximum(1 - means, LEAST_UNIT))
    return np.asarray(np.hstack([vectors * units, units]).sum(axis=0), np.float32), len(shots)
