"""Follows boxes from look to look: each with the track that it most likely goes on.

After ByteTrack (Zhang et al., ByteTrack: Multi-Object Tracking by Associating Every Detection Box,
ECCV 2022): finds that are sure are assigned to tracks first, those that are not go on what is left,
and only sure ones begin a track. Where a track will be is what a Kalman filter of constant velocity
says. Faces are small for how fast they move, so what is compared is not how boxes overlap but how
far apart their middles are and how their sizes differ, in sizes of the face.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from likeness.video.assignment import least_costly

Floats = NDArray[np.float64]
Numbers = NDArray[np.intp]

# In sizes of a face, and seconds: how exactly a box is found, and how velocities change.
_MEASURED_WITHIN = 0.06
_CHANGE_OF_SPEED = 4.0
_FIRST_SPEED = 3.0
# A velocity is believed for so long after a face was seen last.
_GOES_ON_S = 0.4
# How far off a find may be: this, and twice the deviation of what is predicted, but no more.
_REACH = 0.7
_MOST_REACH = 2.5
_MOST_OF_SIZE = 0.8  # in natural logarithms
# A find that another track might nearly as well go on with is in doubt.
_AS_NEAR = 0.6
_GONE_S = 0.35
_UNREACHED = 1e6


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """What a look comes to: (n,) the track of each box, -1 where it is nobody's.

    `doubtful` says of each whether it might be another track's as well, or was out of sight before.
    `lost` are tracks that were not seen for too long.
    """

    numbers: Numbers
    doubtful: NDArray[np.bool_]
    lost: tuple[int, ...]


class Tracker:
    """Tracks in view, by their numbers, which count from 0."""

    def __init__(self, lost_after_s: float) -> None:
        self._lost_after_s = lost_after_s
        self._begun = 0
        self._time_s = self._time_before_s = 0.0  # of the last two looks
        self._numbers: Numbers = np.empty(0, np.intp)
        self._seen_s: Floats = np.empty(0)
        self._at: Floats = np.empty((0, 4))  # middle x, y, width, height
        self._moving: Floats = np.empty((0, 4))  # the same a second
        # Covariance of place and velocity, in sizes of the face; all four sides share it.
        self._spread: Floats = np.empty((0, 2, 2))

    def look(self, time_s: float, boxes_xyxy: Floats, sure: NDArray[np.bool_]) -> Step:
        """Take (n, 4) boxes of one look; looks ascend in time."""
        lost = self._let_go(time_s)
        found = _middles(boxes_xyxy)
        self._predict(time_s)
        costs = self._costs(found)
        numbers = np.full(len(found), -1, np.intp)
        doubtful = np.zeros(len(found), np.bool_)
        followed = self._seen_s >= self._time_s - _GONE_S
        taken = np.full(len(self._numbers), -1, np.intp)
        for finds, tracks in ((sure, np.ones_like(followed)), (~sure, followed)):
            open_costs = np.where(finds & (tracks & (taken < 0))[:, None], costs, _UNREACHED)
            which, what = least_costly(open_costs)
            reached = open_costs[which, what] < _UNREACHED
            taken[which[reached]] = what[reached]
        which = np.flatnonzero(taken >= 0)
        what = taken[which]
        numbers[what] = self._numbers[which]
        doubtful[what] = self._is_doubtful(time_s, costs, which, what)
        self._correct(time_s, which, found[what])
        self._time_before_s, self._time_s = self._time_s, time_s
        new = np.flatnonzero((numbers < 0) & sure)
        numbers[new] = self._begin(time_s, found[new])
        return Step(numbers, doubtful, lost)

    def _let_go(self, time_s: float) -> tuple[int, ...]:
        # However far apart looks are, nobody is lost who was seen in one of the last two.
        kept = (time_s - self._seen_s <= self._lost_after_s) | (self._seen_s >= self._time_before_s)
        lost = tuple(self._numbers[~kept].tolist())
        self._numbers, self._seen_s = self._numbers[kept], self._seen_s[kept]
        self._at, self._moving = self._at[kept], self._moving[kept]
        self._spread = self._spread[kept]
        return lost

    def _predict(self, time_s: float) -> None:
        step = time_s - self._time_s
        unseen = self._time_s - self._seen_s
        # The further back a face was seen, the less its velocity says.
        fading = np.exp(-unseen / _GOES_ON_S)
        self._at = self._at + self._moving * (fading * step)[:, None]
        self._at[:, 2:] = np.maximum(self._at[:, 2:], 1.0)
        onwards = np.array([[1.0, step], [0.0, 1.0]])
        change = _CHANGE_OF_SPEED**2 * np.array([[step**3 / 3, step**2 / 2], [step**2 / 2, step]])
        self._spread = onwards @ self._spread @ onwards.T + change

    def _costs(self, found: Floats) -> Floats:
        """Say how far each track, by rows, is from each find; what is out of reach is so."""
        sizes, sizes_found = _sizes(self._at), _sizes(found)
        of_size = np.log(sizes_found[None] / sizes[:, None])
        apart = np.hypot(*(self._at[:, None, :2] - found[None, :, :2]).transpose(2, 0, 1))
        apart /= (sizes[:, None] + sizes_found[None]) / 2
        reach = np.minimum(_REACH + 2 * np.sqrt(self._spread[:, 0, 0]), _MOST_REACH)
        within = (apart <= reach[:, None]) & (np.abs(of_size) <= _MOST_OF_SIZE)
        return np.where(within, np.hypot(apart, of_size), _UNREACHED)

    def _is_doubtful(
        self, time_s: float, costs: Floats, which: Numbers, what: Numbers
    ) -> NDArray[np.bool_]:
        chosen = costs[which, what]
        others = costs.copy()
        others[which, what] = _UNREACHED
        nearest = np.minimum(
            others[which].min(axis=1, initial=_UNREACHED),
            others[:, what].min(axis=0, initial=_UNREACHED),
        )
        away = time_s - self._seen_s[which] > max(_GONE_S, 2.5 * (time_s - self._time_s))
        return np.asarray((nearest < chosen + _AS_NEAR) | away)

    def _correct(self, time_s: float, which: Numbers, found: Floats) -> None:
        spread = self._spread[which]
        gain = spread[:, :, 0] / (spread[:, 0, 0] + _MEASURED_WITHIN**2)[:, None]
        off = found - self._at[which]
        self._at[which] += gain[:, :1] * off
        self._moving[which] += gain[:, 1:] * off
        self._spread[which] = spread - gain[:, :, None] * spread[:, :1, :]
        self._seen_s[which] = time_s

    def _begin(self, time_s: float, found: Floats) -> Numbers:
        count = len(found)
        numbers = np.arange(self._begun, self._begun + count)
        self._begun += count
        spread = np.diag([_MEASURED_WITHIN**2, _FIRST_SPEED**2])
        self._numbers = np.concatenate([self._numbers, numbers])
        self._seen_s = np.concatenate([self._seen_s, np.full(count, time_s)])
        self._at = np.concatenate([self._at, found])
        self._moving = np.concatenate([self._moving, np.zeros((count, 4))])
        self._spread = np.concatenate([self._spread, np.tile(spread, (count, 1, 1))])
        return numbers


def _middles(boxes_xyxy: Floats) -> Floats:
    """Give middle x, y, width and height of (n, 4) boxes."""
    boxes = np.asarray(boxes_xyxy, np.float64).reshape(-1, 4)
    return np.hstack(
        [(boxes[:, :2] + boxes[:, 2:]) / 2, np.maximum(boxes[:, 2:] - boxes[:, :2], 1)]
    )


def _sizes(places: Floats) -> Floats:
    return np.asarray(np.sqrt(places[:, 2] * places[:, 3]))
