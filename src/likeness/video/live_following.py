"""Follows faces through a stream as it comes.

What a clip is told afterwards is told of each frame here. Where faces meet or hide each other, or
the camera may have cut, it is in doubt who goes on where, until the first clear look after it: its
template says who it is. Where nothing tells, place does.
"""

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from likeness.terms import Box, Image
from likeness.video.assignment import least_costly, most_gainful
from likeness.video.clip import Frame
from likeness.video.cuts import CutFinder
from likeness.video.finds import Closeness, Finds, HowOften, find_in
from likeness.video.following import Following
from likeness.video.looks import Ending, FrameFinder, Look, Shot
from likeness.video.movement import Movement
from likeness.video.shots import APART_S, LiveChoice
from likeness.video.tracker import Tracker
from likeness.video.trails import are_near, change_in, gain_of

# Faces of less than this share of the frame's longer side (80 pixels of 1920) are looked for half a
# second after the last time, and two seconds after it where nothing moves but those in view.
_OFTEN = HowOften(any_size_s=0.5, any_angle_s=2.0, entering=0.0425)
# Below this, two whom place takes for one are two: two or three strangers in a hundred are not. A
# clip is not as strict, because there what speaks for others is known: here whoever is one too many
# is told of once more.
_APART = -0.8
# So many places are kept of where a face may have been while that was in doubt.
_PLACES = 12
# Nobody is followed over so long without a frame, or over so many times the usual time between.
_MOST_GAP_S = 1.0
_MOST_GAP = 3.0


@dataclass(frozen=True, slots=True, eq=False)
class SeenFace:
    """A face in the frame that was looked at.

    `number` is that of whoever is followed; each is given once, however long the stream is. `shots`
    are the best few of them so far, in the order of time, and `has_new_shot` says that they changed
    with this frame. `begins_s` is when they came into view. While it is `doubtful` the face may be
    somebody else's: others are very near, it was out of sight, or it looks like somebody else.
    """

    number: int
    look: Look
    shots: tuple[Shot, ...]
    has_new_shot: bool
    begins_s: float
    doubtful: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class EndedFace:
    """Somebody who is followed no more."""

    number: int
    begins_s: float
    ends_s: float
    shots: tuple[Shot, ...]
    ended: Ending


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """What a frame shows: faces in view, largest first, and those who are so no more.

    `looked` says whether it had pixels to look at: without them there are no `faces`.
    """

    time_s: float
    faces: tuple[SeenFace, ...]
    ended: tuple[EndedFace, ...]
    looked: bool = True


@dataclass(slots=True, eq=False)
class _Known:
    """Somebody who is followed. `places` are where they may have been since the last clear look.

    `number` is given when they are told of first, so that each that was given was told.
    """

    begins_s: float
    last_s: float
    places: deque[Box]
    choice: LiveChoice = field(default_factory=LiveChoice)
    unclear: LiveChoice = field(default_factory=LiveChoice)
    number: int = -1
    missing_s: float = np.inf  # since when they are nowhere
    changed: bool = False  # as the newest shot says, alone

    @property
    def shots(self) -> tuple[Shot, ...]:
        """The shots that are clearly theirs, or where none is, those that may be."""
        return self.choice.shots or self.unclear.shots


@dataclass(slots=True, eq=False)
class _Trail:
    """Whom the tracker follows, by place, and who that is.

    While it is in doubt, `clear` is the first look since that is clear.
    """

    known: _Known
    seen_s: float
    in_doubt: bool = False
    by_place: bool = True
    clear: Look | None = None
    settled_s: float = -np.inf
    new_shot: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class _Offer:
    """A look of a trail whose template is wanted, and what it is wanted for."""

    trail: _Trail
    look: Look
    goodness: float
    doubtful: bool
    shot: Shot | None = None


class LiveFollower:
    """Follows the faces of one stream, frame by frame; not for more than one thread at a time."""

    def __init__(self, finder: FrameFinder, settings: Following = Following()) -> None:
        """Begin; every frame with pixels is looked at, however often that is."""
        self._finder = finder
        self._settings = settings
        self._most_gap_s = max(_MOST_GAP_S, _MOST_GAP * settings.look_every_s)
        self._next_number = 1
        self._begin_anew()
        least_costly(np.zeros((1, 1)))  # what that imports would hold up the first look

    def _begin_anew(self) -> None:
        self._time_s = -np.inf
        self._cuts = CutFinder()
        self._closeness = Closeness(_OFTEN)
        self._movement = Movement()
        self._tracker = Tracker(self._settings.lost_after_s)
        self._trails: dict[int, _Trail] = {}
        self._displaced: list[_Known] = []

    def reset(self, ending: Ending = Ending.CLIP) -> tuple[EndedFace, ...]:
        """End everybody: what comes next has nothing to do with what was, but for numbers."""
        ended = [self._ended_trail(trail, ending) for trail in self._trails.values()]
        ended += [_ended(known, ending) for known in self._displaced]
        self._begin_anew()
        return _told(ended)

    def see(self, frame: Frame) -> Seen:
        """Take the next frame of the stream, and say at once who is in it.

        A frame that is no later than the one before is passed over.
        """
        time_s = frame.time_s
        if time_s <= self._time_s:
            return Seen(time_s, (), (), looked=False)
        ended: list[EndedFace] = []
        if time_s - self._time_s > self._most_gap_s and self._time_s > -np.inf:
            ended += self.reset(Ending.LOST)
        self._time_s = time_s
        ended += self._watch_for_cuts(frame)
        if frame.image is None:
            return Seen(time_s, (), _told(ended), looked=False)
        faces, lost = self._look(frame.image, time_s, self._find(frame, frame.image))
        return Seen(time_s, faces, _told([*ended, *lost]))

    def _find(self, frame: Frame, image: Image) -> Finds:
        closeness, movement, time_s = self._closeness, self._movement, frame.time_s
        moved = movement.is_in(frame.thumbnail)
        if closeness.nobody and not moved and not closeness.is_due(time_s):
            return Finds((), ())
        least = closeness.least_at(time_s, max(image.width, image.height), moved=moved)
        finds = find_in(image, self._finder, least)
        closeness.learn(least, finds.faces)
        if not least:
            movement.begin(frame.thumbnail)
        movement.explain(image, finds.faces)
        return finds

    def _look(
        self, image: Image, time_s: float, finds: Finds
    ) -> tuple[tuple[SeenFace, ...], list[EndedFace]]:
        step = self._tracker.look(time_s, finds.sides(), finds.sure())
        ended = [
            self._ended_trail(trail, Ending.LOST)
            for number in step.lost
            if (trail := self._trails.pop(number, None)) is not None
        ]
        looks: list[tuple[_Trail, Look]] = []
        offers: list[_Offer] = []
        for which, number in enumerate(step.numbers.tolist()):
            if number < 0:
                continue
            look, doubtful = Look(time_s, finds.faces[which]), bool(step.doubtful[which])
            trail = self._trail_of(number, look)
            _go_on(trail, look, doubtful=doubtful)
            looks.append((trail, look))
            goodness = finds.goodness[which] if self._settings.templates else 0.0
            if _is_wanted(trail, time_s, goodness, doubtful=doubtful):
                offers.append(_Offer(trail, look, goodness, doubtful))
        shots = self._shots_of(image, [offer.look for offer in offers])
        ended += self._take(offers, shots, time_s)
        ended += self._let_go(time_s)
        return tuple(self._seen(trail, look) for trail, look in looks), ended

    def _trail_of(self, number: int, look: Look) -> _Trail:
        trail = self._trails.get(number)
        if trail is None:
            trail = self._trails[number] = _Trail(_begun(look), look.time_s)
            # Whoever was lost or is in doubt near here may be who this is.
            trail.in_doubt = bool(self._missing_near(trail, look))
            trail.by_place = not trail.in_doubt
        return trail

    def _shots_of(self, image: Image, looks: Sequence[Look]) -> list[Shot]:
        if not looks:
            return []
        faces = [look.face for look in looks]
        templates = self._finder.templates(image, faces)
        return [
            Shot(look, template, self._finder.crop_jpeg(image, look.face.box))
            for look, template in zip(looks, templates, strict=True)
        ]

    def _take(
        self, offers: Sequence[_Offer], shots: Sequence[Shot], time_s: float
    ) -> list[EndedFace]:
        open_trails: list[tuple[_Trail, float, Shot]] = []
        ended: list[EndedFace] = []
        for offer, shot in zip(offers, shots, strict=True):
            trail = offer.trail
            trail.new_shot = True
            if offer.doubtful:
                trail.known.unclear.add(offer.goodness, shot)
            elif trail.in_doubt:
                open_trails.append((trail, offer.goodness, shot))
            else:
                trail.known.choice.add(offer.goodness, shot)
                ended += self._part(trail)
        if open_trails:
            ended += self._settle(open_trails, time_s)
        return ended

    def _part(self, trail: _Trail) -> list[EndedFace]:
        """Take for two people whose looks disagree."""
        known = trail.known
        shots = known.choice.shots
        known.changed = gain_of(shots[:-1], shots[-1:], by_place=True, apart=_APART) == 0
        split = change_in(shots, _APART)
        if split is None:
            return []
        later = known.choice.split(split)
        begins_s = later.shots[0].look.time_s
        trail.known = _Known(begins_s, known.last_s, known.places.copy(), later)
        known.last_s = known.choice.shots[-1].look.time_s
        return [_ended(known, Ending.LOST)]

    def _settle(
        self, open_trails: Sequence[tuple[_Trail, float, Shot]], time_s: float
    ) -> list[EndedFace]:
        """Say who goes on where it was in doubt, by what each looks like now."""
        settled = [trail for trail, _, _ in open_trails]
        own = [trail.known for trail in settled]
        others = {
            id(known): known
            for trail, _, shot in open_trails
            for known in self._missing_near(trail, shot.look)
        }
        candidates = [*own, *(known for key, known in others.items() if key not in map(id, own))]
        gains = np.zeros((len(open_trails), len(candidates)))
        for row, (trail, _, shot) in enumerate(open_trails):
            for column, known in enumerate(candidates):
                is_own = known is trail.known
                if is_own or _is_near(known, shot.look):
                    by_place = is_own and trail.by_place
                    gains[row, column] = gain_of(
                        known.choice.shots, [shot], by_place=by_place, apart=_APART
                    )
        chosen: dict[int, _Known] = {
            row: candidates[column]
            for row, column in zip(*most_gainful(gains), strict=True)
            if gains[row, column] > 0
        }
        taken = {id(known) for known in chosen.values()}
        for row, known in enumerate(own):
            if row not in chosen and id(known) not in taken and not known.choice.shots:
                chosen[row] = known  # nothing tells
                taken.add(id(known))
        free = [known for known in own if id(known) not in taken]
        ended: list[EndedFace] = []
        for trail in [one for one in self._trails.values() if one not in settled]:
            if id(trail.known) in taken:
                # Whom it was taken for is elsewhere: it may be who was taken for them.
                if free and trail.seen_s == time_s:
                    trail.known = free.pop()
                    trail.in_doubt, trail.by_place = True, False
                else:
                    trail.known = _Known(time_s, time_s, trail.known.places.copy())
        for known in free:
            known.missing_s = time_s
        self._displaced = [one for one in self._displaced if id(one) not in taken] + free
        for row, (trail, goodness, shot) in enumerate(open_trails):
            known = chosen.get(row) or _begun(trail.clear or shot.look)
            known.choice.add(goodness, shot)
            known.last_s, known.missing_s = time_s, np.inf
            known.places = deque([shot.look.face.box], _PLACES)
            trail.known, trail.settled_s = known, time_s
            trail.in_doubt, trail.by_place, trail.clear = False, True, None
            ended += self._part(trail)
        return ended

    def _missing_near(self, trail: _Trail, look: Look) -> list[_Known]:
        """Give those who are in doubt or out of sight near a look."""
        missing = [
            one.known
            for one in self._trails.values()
            if one is not trail and (one.in_doubt or one.seen_s < look.time_s)
        ]
        return [known for known in (*missing, *self._displaced) if _is_near(known, look)]

    def _let_go(self, time_s: float) -> list[EndedFace]:
        """End those who were taken for somebody else, and are nowhere."""
        gone = [one for one in self._displaced if one.last_s + self._settings.lost_after_s < time_s]
        self._displaced = [one for one in self._displaced if one not in gone]
        return [_ended(known, Ending.LOST) for known in gone]

    def _watch_for_cuts(self, frame: Frame) -> list[EndedFace]:
        self._cuts.see(frame.time_s, frame.thumbnail)
        ended: list[EndedFace] = []
        if self._cuts.take_until(self._cuts.known_until_s):
            ended = self._cut(self._cuts.last_cut_s)
        if self._cuts.suspects:
            for trail in self._trails.values():
                trail.in_doubt, trail.by_place, trail.clear = True, False, None
        return ended

    def _cut(self, cut_s: float) -> list[EndedFace]:
        """End all but those who are known to be the same after a cut."""
        ended: list[EndedFace] = []
        for number, trail in list(self._trails.items()):
            known = trail.known
            if known.begins_s >= cut_s:
                continue
            shots = known.choice.shots
            before = sum(shot.look.time_s < cut_s for shot in shots)
            same = gain_of(shots[:before], shots[before:], by_place=False) > 0
            if same and not trail.in_doubt:
                continue
            later = known.choice.split(before)
            known.last_s = min(known.last_s, cut_s)
            ended.append(_ended(known, Ending.CUT))
            if trail.seen_s < cut_s:
                del self._trails[number]
                continue
            trail.known = _Known(cut_s, trail.seen_s, known.places.copy(), later)
            trail.in_doubt, trail.by_place, trail.clear = False, True, None
        ended += [_ended(known, Ending.CUT) for known in self._displaced]
        self._displaced = []
        return ended

    def _seen(self, trail: _Trail, look: Look) -> SeenFace:
        known = trail.known
        if known.number < 0:
            known.number, self._next_number = self._next_number, self._next_number + 1
        new_shot, trail.new_shot = trail.new_shot, False
        return SeenFace(
            known.number,
            look,
            known.shots,
            new_shot,
            known.begins_s,
            doubtful=trail.in_doubt or known.changed,
        )

    @staticmethod
    def _ended_trail(trail: _Trail, ending: Ending) -> EndedFace:
        if trail.by_place:
            trail.known.last_s = trail.seen_s
        return _ended(trail.known, ending)


def _ended(known: _Known, ending: Ending) -> EndedFace:
    return EndedFace(known.number, known.begins_s, known.last_s, known.shots, ending)


def _begun(look: Look) -> _Known:
    return _Known(look.time_s, look.time_s, deque([look.face.box], _PLACES))


def _go_on(trail: _Trail, look: Look, *, doubtful: bool) -> None:
    trail.seen_s = look.time_s
    known = trail.known
    if doubtful:
        trail.in_doubt, trail.clear = True, None
    if trail.in_doubt:
        trail.clear = trail.clear or (None if doubtful else look)
        known.places.append(look.face.box)
        return
    known.last_s = look.time_s
    known.places = deque([look.face.box], _PLACES)


def _is_wanted(trail: _Trail, time_s: float, goodness: float, *, doubtful: bool) -> bool:
    if doubtful:
        known = trail.known
        return not known.choice.shots and known.unclear.wants(time_s, goodness)
    if trail.in_doubt:
        return goodness > 0 and time_s >= trail.settled_s + APART_S
    return trail.known.choice.wants(time_s, goodness, soon=trail.known.changed)


def _is_near(known: _Known, look: Look) -> bool:
    return any(are_near(place, look.face.box) for place in known.places)


def _told(ended: Iterable[EndedFace]) -> tuple[EndedFace, ...]:
    """Give those of whom it was told that they are in view."""
    return tuple(one for one in ended if one.number >= 0)
