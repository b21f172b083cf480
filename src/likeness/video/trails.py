"""Makes tracks of what a tracker followed by place, mended by templates.

Where two faces meet, or one was out of sight, place alone may go on with the wrong one. There a
trail is taken apart into stretches, and each stretch goes on with the one that looks most like it.
Where nothing tells, what the tracker did stands.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np

from likeness.terms import Box
from likeness.video.assignment import most_gainful
from likeness.video.looks import Ending, FrameFinder, Look, Shot, Track
from likeness.video.shots import Choice, Cutout, best_of, mean_score

# Scores, where place says what is likely: strangers' faces are about -1 apart whatever the model.
APART = -0.95
"""Below this, two whom place takes for one are two."""
# From this on, two whom place does not take for one may be one, if they met others there.
_ALIKE = -0.72
# How much more alike another has to be than whom place says, and what place is worth by itself.
_MORE_ALIKE = 0.1
_BY_PLACE = 0.3
# Who met: their faces were so near, in sizes, within so long of each other.
_NEAR = 2.5
_AROUND_S = 1.0
# By so many sizes a look has to fit another better, to be theirs.
_FITS_BETTER = 0.15
_FITS = 0.2  # sizes off, of a look that fits
# Looks that disagree within one stretch: so many on either side, all of them unlike each other.
_FEWEST_THAT_DISAGREE = 2


class Stretch:
    """Looks of a trail among which no other face comes into question.

    `unclear_before` and `unclear` are looks before and after them that might be another's.
    """

    def __init__(self, finder: FrameFinder, unclear_before: Sequence[Look] = ()) -> None:
        self.unclear_before = list(unclear_before)
        self.looks: list[Look] = []
        self.unclear: list[Look] = []
        self.choice = Choice(finder)
        self.unclear_choice = Choice(finder)
        self.ended: Ending | None = None

    @property
    def first(self) -> Look:
        """The first look that is clear, if one is."""
        return (self.looks or self.unclear)[0]

    @property
    def last(self) -> Look:
        """The last look that is clear, if one is."""
        return (self.looks or self.unclear)[-1]


class Trail:
    """Looks that follow from each other by place."""

    def __init__(self, finder: FrameFinder) -> None:
        self._finder = finder
        self.stretches: list[Stretch] = []

    def add(self, look: Look, cutout: Cutout | None, *, doubtful: bool) -> None:
        """Go on with a look; it is `doubtful` where it might be another trail's as well."""
        if not self.stretches:
            self.stretches.append(Stretch(self._finder))
        elif (unclear := self.stretches[-1].unclear) and not doubtful:
            # Whoever went on with somebody else most likely did so in the middle.
            half = len(unclear) // 2
            self.stretches.append(Stretch(self._finder, unclear[half:]))
            del unclear[half:]
        stretch = self.stretches[-1]
        (stretch.unclear if doubtful else stretch.looks).append(look)
        if cutout is not None:
            (stretch.unclear_choice if doubtful else stretch.choice).offer(cutout)

    def end(self, ending: Ending) -> None:
        """Say why it ends, unless that is known."""
        self.stretches[-1].ended = self.stretches[-1].ended or ending


def tracks_of(trails: Iterable[Trail], ending: Ending) -> list[Track]:
    """Make tracks of trails; those that go on end for the reason given."""
    stretches: list[Stretch] = []
    goes_on: dict[int, int] = {}
    for trail in trails:
        trail.end(ending)
        places = range(len(stretches), len(stretches) + len(trail.stretches))
        goes_on.update(pairwise(places))
        stretches += trail.stretches
    for stretch in stretches:
        stretch.choice.close()
        stretch.unclear_choice.close()
    goes_on = _mended(stretches, goes_on)
    tracks: list[Track] = []
    for which in sorted(set(range(len(stretches))) - set(goes_on.values())):
        chain = [which]
        while chain[-1] in goes_on:
            chain.append(goes_on[chain[-1]])
        tracks += _tracks_of_one([stretches[one] for one in chain])
    unclear = {id(look) for one in stretches for look in (*one.unclear_before, *one.unclear)}
    return _with_hindsight(tracks, unclear)


def _with_hindsight(tracks: Sequence[Track], unclear: set[int]) -> list[Track]:
    """Give looks that might be another's to whom they fit better, now that it is known who goes on.

    They fit whose clear looks before and after put them there, and who has no look at that time.
    """
    looks = [list(track.looks) for track in tracks]
    times = [{look.time_s for look in track.looks} for track in tracks]
    clear = [[look for look in track.looks if id(look) not in unclear] for track in tracks]
    for which, track in enumerate(tracks):
        for look in track.looks:
            off = _off(clear[which], look) if id(look) in unclear else None
            if off is None:
                continue
            others = [
                (their_off, other)
                for other in range(len(tracks))
                if other != which
                and tracks[other].begins_s < look.time_s < tracks[other].ends_s
                and look.time_s not in times[other]
                and (their_off := _off(clear[other], look)) is not None
            ]
            least, other = min(others, default=(np.inf, which))
            if other == which or len(looks[which]) == 1:
                continue
            if least < off - _FITS_BETTER:
                looks[which].remove(look)
                looks[other] = sorted([*looks[other], look], key=lambda one: one.time_s)
                times[other].add(look.time_s)
            elif off > _FITS and least < off + _FITS_BETTER:
                looks[which].remove(look)  # what is found between two is neither's
    return [replace(track, looks=tuple(own)) for track, own in zip(tracks, looks, strict=True)]


def _off(clear: Sequence[Look], look: Look) -> float | None:
    """Say how far a look is from where clear ones before and after put it, in sizes."""
    place = bisect_right(clear, look.time_s, key=lambda one: one.time_s)
    if not 0 < place < len(clear):
        return None
    before, after = clear[place - 1], clear[place]
    share = (look.time_s - before.time_s) / (after.time_s - before.time_s)
    sides = np.array(
        [
            (b.left, b.top, b.right, b.bottom)
            for b in (before.face.box, after.face.box, look.face.box)
        ]
    )
    there = Box(*(sides[0] + share * (sides[1] - sides[0])).tolist())
    of_size = abs(float(np.log(max(there.width, 1.0) / max(look.face.box.width, 1.0))))
    return _apart(there, look.face.box) + of_size


def _mended(stretches: Sequence[Stretch], goes_on: dict[int, int]) -> dict[int, int]:
    """Say which stretch each goes on with, by templates where several met."""
    mended: dict[int, int] = {}
    for gains in _meetings(stretches, goes_on):
        ends, begins = (sorted(side) for side in map(set, zip(*gains, strict=True)))
        table = np.array([[gains.get((a, b), 0.0) for b in begins] for a in ends])
        for a, b in zip(*most_gainful(table), strict=True):
            if table[a, b] > 0:
                mended[ends[a]] = begins[b]
    return mended


def _meetings(
    stretches: Sequence[Stretch], goes_on: dict[int, int]
) -> Iterable[dict[tuple[int, int], float]]:
    """Group those who met: for an end and a beginning, what speaks for their being one."""
    shots = [[shot for _, shot in stretch.choice.shots] for stretch in stretches]
    gains = {
        (before, after): gain_of(shots[before], shots[after], by_place=True)
        for before, after in goes_on.items()
    }
    begins = sorted((stretch.first.time_s, which) for which, stretch in enumerate(stretches))
    for before, stretch in enumerate(stretches):
        if before not in goes_on and stretch.ended is not Ending.LOST:
            continue
        latest_s = (stretch.unclear or stretch.looks)[-1].time_s + _AROUND_S
        for place in range(bisect_right(begins, (stretch.last.time_s, len(begins))), len(begins)):
            begins_s, after = begins[place]
            if begins_s > latest_s:
                break
            if (before, after) not in gains and _is_near(stretch, stretches[after]):
                gain = gain_of(shots[before], shots[after], by_place=False)
                if gain > 0:
                    gains[before, after] = gain
    # Those that share an end or a beginning are decided on together.
    group_of: dict[tuple[str, int], dict[tuple[int, int], float]] = {}
    for (before, after), gain in gains.items():
        one = group_of.get(("end", before), {})
        other = group_of.get(("begin", after), {})
        group = {**one, **other, (before, after): gain}
        for a, b in group:
            group_of["end", a] = group_of["begin", b] = group
    return {id(group): group for group in group_of.values()}.values()


def gain_of(
    before: Sequence[Shot], after: Sequence[Shot], *, by_place: bool, apart: float = APART
) -> float:
    """Say how much speaks for shots going on with others; 0 is nothing.

    Those whom place takes for one are two where they score less than `apart`.
    """
    alike = mean_score(before, after)
    if by_place:
        if alike is None:
            return _BY_PLACE
        return alike - APART + _MORE_ALIKE if alike >= apart else 0.0
    return alike - APART if alike is not None and alike >= _ALIKE else 0.0


def _is_near(before: Stretch, after: Stretch) -> bool:
    """Whether one stretch begins near to where another ends."""
    return any(
        are_near(look.face.box, after.first.face.box) for look in (before.last, *before.unclear)
    )


def are_near(one: Box, other: Box) -> bool:
    """Whether two boxes are so near that those who are in them met."""
    return _apart(one, other) <= _NEAR


def _apart(one: Box, other: Box) -> float:
    """Say how far the middles of two boxes are apart, in sizes."""
    x = (one.left + one.right - other.left - other.right) / 2
    y = (one.top + one.bottom - other.top - other.bottom) / 2
    size = (one.width + one.height + other.width + other.height) / 4
    return float(np.hypot(x, y) / max(size, 1.0))


def _tracks_of_one(chain: Sequence[Stretch]) -> list[Track]:
    """Make a track of stretches; two where what is seen first is not who is seen then."""
    looks: list[Look] = []
    for stretch, after in zip(chain, [*chain[1:], None], strict=True):
        # Of stretches that met, unclear looks may be at the same time as others.
        until_s = np.inf if after is None else after.first.time_s
        from_s = looks[-1].time_s if looks else -np.inf
        looks += [look for look in stretch.unclear_before if look.time_s > from_s]
        looks += stretch.looks
        looks += [look for look in stretch.unclear if look.time_s < until_s]
    shots = [shot for stretch in chain for shot in stretch.choice.shots]
    if not shots:
        shots = [shot for stretch in chain for shot in stretch.unclear_choice.shots]
    ended = chain[-1].ended or Ending.LOST
    change_s = _change([shot for _, shot in shots], looks)
    if change_s is None:
        return [Track(tuple(looks), best_of(shots), ended)]
    early = [one for one in shots if one[1].look.time_s < change_s]
    return [
        Track(tuple(look for look in looks if look.time_s < change_s), best_of(early), Ending.LOST),
        Track(
            tuple(look for look in looks if look.time_s >= change_s),
            best_of(shots[len(early) :]),
            ended,
        ),
    ]


def change_in(shots: Sequence[Shot], apart: float = APART) -> int | None:
    """Say from which shot on they are somebody else's; None where all may be one person's."""
    splits = range(_FEWEST_THAT_DISAGREE, len(shots) - _FEWEST_THAT_DISAGREE + 1)
    found = [(mean_score(shots[:split], shots[split:]) or 0.0, split) for split in splits]
    alike, split = min(found, default=(0.0, 0))
    return split if alike < apart else None


def _change(shots: Sequence[Shot], looks: Sequence[Look]) -> float | None:
    """Say when somebody else is followed from; None where all shots may be of one person."""
    split = change_in(shots)
    if split is None:
        return None
    last_s, first_s = shots[split - 1].look.time_s, shots[split].look.time_s
    between = [look for look in looks if last_s <= look.time_s <= first_s]
    # Most likely it was where the face moved most from one look to the next.
    moves = [_apart(a.face.box, b.face.box) for a, b in pairwise(between)]
    return between[int(np.argmax(moves)) + 1].time_s
