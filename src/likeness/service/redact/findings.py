"""What was hidden in a clip or a picture, when and why, and where a person should look at it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from likeness.terms import Box
from likeness.video import SURELY_A_FACE, Hidden, Moment, Reason, Sight

# Frames of one face that are no further apart are one span.
_ONE_SPAN_S = 0.5
# Faces of fewer pixels are found less surely: `make bench ONLY=redact-hidden`.
_SMALL_PX = 20.0
_LONG_S = 0.5


class Doubt(StrEnum):
    """Why a person should look at a place."""

    PERHAPS = "may be no face"
    SMALL = "a small face: others like it may be missed"
    LONG = "out of sight for long: it may have been elsewhere"
    UNSURE = "it was not sure who it is"


@dataclass(frozen=True, slots=True)
class HiddenSpan:
    """Something hidden from one frame to another, for one reason.

    `box` is where it is at first; `smallest` is the shorter side of its smallest box, in pixels;
    `confidence` is how likely it is a face where that is likeliest, 0 to 1; `unseen_s` is how long
    it was not seen at a stretch.
    """

    track: int
    sight: Sight
    reason: Reason
    begins_s: float
    ends_s: float
    frames: int
    box: Box
    smallest: float
    confidence: float
    unseen_s: float = 0.0

    @property
    def doubts(self) -> tuple[Doubt, ...]:
        """Why a person should look at it; empty where there is no need."""
        long = self.sight is Sight.BETWEEN and self.unseen_s >= _LONG_S
        return (
            *((Doubt.PERHAPS,) if self.confidence < SURELY_A_FACE else ()),
            *((Doubt.SMALL,) if self.smallest < _SMALL_PX else ()),
            *((Doubt.LONG,) if long else ()),
            *((Doubt.UNSURE,) if self.reason in (Reason.UNSURE, Reason.MAYBE) else ()),
        )


@dataclass(frozen=True, slots=True)
class DoubtfulPlace:
    """A face that a person should look at from one frame to another, and why.

    It is one of those followed; `box` is where it is at first.
    """

    track: int
    begins_s: float
    ends_s: float
    frames: int
    box: Box
    doubts: tuple[Doubt, ...]

    def joined(self, span: HiddenSpan) -> "DoubtfulPlace":
        """Go on with a later span of the same face."""
        doubts = {*self.doubts, *span.doubts}
        return DoubtfulPlace(
            self.track,
            self.begins_s,
            max(self.ends_s, span.ends_s),
            self.frames + span.frames,
            self.box,
            tuple(one for one in Doubt if one in doubts),
        )


@dataclass(frozen=True, slots=True)
class VisibleSpan:
    """Somebody who stays visible from one frame to another; `box` is where they are at first."""

    called: str | None
    begins_s: float
    ends_s: float
    frames: int
    box: Box


@dataclass(slots=True, eq=False)
class RedactionFindings:
    """What was hidden so far; frames are added in their order."""

    frames: int = 0
    regions: int = 0
    _hidden: list[HiddenSpan] = field(default_factory=list)
    _visible: list[VisibleSpan] = field(default_factory=list)
    # Spans that may go on, by what they are of.
    _open_hidden: dict[tuple[int, Sight, Reason], HiddenSpan] = field(default_factory=dict)
    _open_visible: dict[str | None, VisibleSpan] = field(default_factory=dict)
    # When each face was seen last, by the number of what was followed.
    _seen_s: dict[int, float] = field(default_factory=dict)

    def add(self, time_s: float, moment: Moment) -> None:
        """Take in what is hidden in a frame."""
        self.frames += 1
        self.regions += len(moment.hidden)
        self._close(time_s - _ONE_SPAN_S)
        for one in moment.hidden:
            what = one.track, one.sight, one.reason
            known = self._open_hidden.get(what)
            if one.sight is not Sight.BETWEEN:
                self._seen_s[one.track] = time_s
            unseen_s = time_s - self._seen_s.setdefault(one.track, time_s)
            span = _span(time_s, one, unseen_s)
            self._open_hidden[what] = span if known is None else _on(known, span)
        for shown in moment.shown:
            before = self._open_visible.get(shown.called)
            self._open_visible[shown.called] = VisibleSpan(
                shown.called,
                time_s if before is None else before.begins_s,
                time_s,
                1 + (0 if before is None else before.frames),
                shown.box if before is None else before.box,
            )

    def finish(self) -> None:
        """End what goes on: no frame comes any more."""
        self._close(float("inf"))
        self._hidden.sort(key=lambda one: (one.begins_s, one.track))
        self._visible.sort(key=lambda one: one.begins_s)

    @property
    def hidden(self) -> Sequence[HiddenSpan]:
        """What was hidden, in the order of time."""
        return self._hidden

    @property
    def visible(self) -> Sequence[VisibleSpan]:
        """Who stays visible, in the order of time."""
        return self._visible

    @property
    def to_look_at(self) -> Sequence[DoubtfulPlace]:
        """The places that a person should look at, in the order of time.

        Spans of one face that follow each other are one place, whatever each is doubted for.
        """
        places: list[DoubtfulPlace] = []
        latest: dict[int, int] = {}
        for span in self._hidden:
            if not span.doubts:
                continue
            before = latest.get(span.track)
            if before is not None and span.begins_s <= places[before].ends_s + _ONE_SPAN_S:
                places[before] = places[before].joined(span)
                continue
            latest[span.track] = len(places)
            first = (span.track, span.begins_s, span.ends_s, span.frames, span.box, span.doubts)
            places.append(DoubtfulPlace(*first))
        return places

    def frames_by_reason(self) -> Iterator[tuple[Reason, int]]:
        """Count how often something was hidden in a frame, by the reason for it."""
        for reason in Reason:
            count = sum(one.frames for one in self._hidden if one.reason is reason)
            if count:
                yield reason, count

    def _close(self, before_s: float) -> None:
        for what, one in list(self._open_hidden.items()):
            if one.ends_s < before_s:
                self._hidden.append(self._open_hidden.pop(what))
        for called, shown in list(self._open_visible.items()):
            if shown.ends_s < before_s:
                self._visible.append(self._open_visible.pop(called))


def _span(time_s: float, one: Hidden, unseen_s: float) -> HiddenSpan:
    box = one.region.box
    return HiddenSpan(
        one.track,
        one.sight,
        one.reason,
        time_s,
        time_s,
        1,
        box,
        min(box.width, box.height),
        one.confidence,
        unseen_s,
    )


def _on(known: HiddenSpan, after: HiddenSpan) -> HiddenSpan:
    return replace(
        known,
        ends_s=after.ends_s,
        frames=known.frames + after.frames,
        smallest=min(known.smallest, after.smallest),
        confidence=max(known.confidence, after.confidence),
        unseen_s=max(known.unseen_s, after.unseen_s),
    )
