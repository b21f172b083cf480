"""Who is in view of a live search: since when, where, and what was told of them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from likeness.review import ClipFace
from likeness.service.live.kept import face_of
from likeness.service.live.sighting import SightingKind
from likeness.service.video.naming import SeenMatch
from likeness.service.video.track_scores import FEWEST_AGREEING
from likeness.terms import Box
from likeness.video import Shot, goodness_of

_HALF_SECOND_S = 0.5
# Of somebody who stays for long, review knows the last ten minutes.
_MOST_LOOKS = 1200
# So many good looks, half a second apart, and nobody of the collection: a stranger.
_STRANGER_FROM = 4


@dataclass(slots=True, eq=False)
class InView:
    """Somebody in view, who is followed without a break.

    `number` counts the people of a search from 1. `matches` are whom they may be told to be like,
    and `asked_of` whom the rules were asked about. `withheld` says that people decide first.
    """

    number: int
    first_at: datetime
    told: SightingKind | None = None
    matches: tuple[SeenMatch, ...] = ()
    asked_of: frozenset[tuple[UUID | None, bool]] = frozenset()
    withheld: bool = False
    shots: tuple[Shot, ...] = ()
    watched: bool = False
    box: Box | None = None
    last_at: datetime | None = None
    _looks: dict[int, Box] = field(default_factory=dict)

    def look(self, at: datetime, time_s: float, box: Box, shots: Sequence[Shot]) -> None:
        """Go on with a look; `time_s` is seconds since the search was asked for."""
        self.last_at, self.box, self.shots = at, box, tuple(shots)
        self._looks[int(max(0.0, time_s) / _HALF_SECOND_S)] = box
        if len(self._looks) > _MOST_LOOKS:
            del self._looks[min(self._looks)]

    @property
    def may_be_named(self) -> bool:
        """Whether enough was seen of them, and nobody has said who they are yet."""
        named = self.withheld or any(one.verdict.match for one in self.matches)
        return len(self.shots) >= FEWEST_AGREEING and not named

    def is_news(self, found: Sequence[SeenMatch]) -> bool:
        """Whether the rules were not asked yet about those whom they are like, as they are."""
        of = frozenset((one.reference_id, one.verdict.match) for one in found)
        news = bool(of) and of != self.asked_of
        self.asked_of = of
        return news

    @property
    def is_stranger(self) -> bool:
        """Whether they are seen well enough to be called a stranger, if they are like nobody."""
        return len(self.shots) >= _STRANGER_FROM and self.told is None

    @property
    def picture(self) -> bytes | None:
        """A picture of their face, from the best shot."""
        best = max(self.shots, key=lambda one: goodness_of(one.look.face), default=None)
        return None if best is None else best.crop_jpeg or None

    def known_as(self, job_id: str) -> ClipFace:
        """Say what review knows them by."""
        return face_of(job_id, self._looks)
