"""Makes tracks of what a tracker followed by place, mended by templates.

Where two faces meet, or one was out of sight, place alone may go on with the wrong one. There a
trail is taken apart into stretches, and each stretch goes on with the one that looks most like it.
"""

from collections.abc import Sequence

from likeness.video.looks import Ending, FrameFinder, Look, Shot, Track
from likeness.video.shots import Choice, Cutout, best_of


class Stretch:
    """Looks of a trail among which no other face comes into question."""

    def __init__(self, finder: FrameFinder, *, doubtful: bool) -> None:
        self.doubtful = doubtful
        self.looks: list[Look] = []
        self.choice = Choice(finder)


class Trail:
    """Looks that follow from each other by place; `ended` is None while it goes on."""

    def __init__(self, finder: FrameFinder) -> None:
        self._finder = finder
        self.ended: Ending | None = None
        self.stretches: list[Stretch] = []

    def add(self, look: Look, cutout: Cutout | None, *, doubtful: bool) -> None:
        """Go on with a look; it is `doubtful` where it might be another trail's as well."""
        if not self.stretches or self.stretches[-1].doubtful != doubtful:
            if self.stretches:
                self.stretches[-1].choice.close()
            self.stretches.append(Stretch(self._finder, doubtful=doubtful))
        stretch = self.stretches[-1]
        stretch.looks.append(look)
        if cutout is not None:
            stretch.choice.offer(cutout)


def tracks_of(trails: Sequence[Trail], ending: Ending) -> list[Track]:
    """Make tracks of trails; those that go on end for the reason given."""
    for trail in trails:
        trail.stretches[-1].choice.close()
    return [
        Track(
            tuple(look for stretch in trail.stretches for look in stretch.looks),
            _shots(trail.stretches),
            trail.ended or ending,
        )
        for trail in trails
    ]


def _shots(stretches: Sequence[Stretch]) -> tuple[Shot, ...]:
    clear = [shot for one in stretches if not one.doubtful for shot in one.choice.shots]
    return best_of(clear or [shot for one in stretches for shot in one.choice.shots])
