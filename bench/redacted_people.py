"""Whether anybody hides a face for good, and whether those who are kept, and nobody else, are seen.

Re-recognition: photographs of View 1, each of another person, are redacted and stored as JPEG. An
attacker is given the landmarks of the original face, and compares what is stored with the original
photograph itself, by each recogniser.
"""

import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from bench.composed_clips import (
    CLIPS,
    HEIGHT,
    LENGTH_S,
    PEOPLE_EACH,
    RATE,
    WIDTH,
    ComposedClip,
    TrueFace,
    composed_clips,
    heads_of_people,
)
from bench.figure import Beside, Figure, Measurement, at_least
from bench.lfw import pictures_of_lfw
from bench.workplace import OUT, installation, settings
from likeness.app import Workload
from likeness.errors import required
from likeness.evaluation import wilson
from likeness.library import Likeness, open_likeness
from likeness.service.redact.asked import Manner, Whom
from likeness.service.redact.clips import EveryFaceOfFrames, find_faces, write_redacted
from likeness.service.redact.known import ClipPart, FolderOfPeople
from likeness.service.redact.people import visible_people
from likeness.terms import Box, Face, Image, Template, compare
from likeness.video import ClipWriter, Hiding, NamedTrack, Planes, Region, Style, reading
from likeness.vision.decode import read_sample
from likeness.vision.every_face import FRAME

_RECOGNISERS = ("face-reidentification-retail-0095", "dlib-resnet-v1")
_PEOPLE = 300
_FMR = 1e-2
_JPEG_QUALITY = 92
_DARKEST = 48
_BLACK = 24
_KEPT = (0, 2)
_CLIPS = 2
_SEEN, _HIDDEN = 0.1, 0.9


@dataclass(frozen=True, slots=True)
class _Recognised:
    """How many of how many hidden faces are recognised by their originals."""

    recognised: int
    faces: int

    @property
    def fnmr(self) -> float:
        """The share that is not."""
        return 1 - self.recognised / self.faces

    @property
    def interval(self) -> tuple[float, float]:
        """Its 95% interval."""
        low, high = wilson(self.faces - self.recognised, self.faces)
        return low, high


def _recognition(full: bool) -> Measurement:
    by_style = {
        (name, style, how): _recognised(name, style, hidden)
        for name in _RECOGNISERS
        for style in Style
        for how, hidden in (("", _hidden), ("-in-planes", _hidden_in_planes))
    }
    worst = min(by_style.values(), key=lambda one: one.fnmr)
    low, high = worst.interval
    return Measurement(
        worst.fnmr,
        f"the worse of both recognisers, of all styles, and of pixels as of pictures and planes as"
        f" of clips; {worst.faces} faces of View 1, each hidden and stored as JPEG, against their"
        f" own photographs at FMR {_FMR:g}, with the landmarks of the original given to the"
        f" attacker; 95% interval {low:.3f} to {high:.3f}",
        tuple(
            Beside(
                f"{name}-{style}{how}",
                one.fnmr,
                "FNMR",
                f"95% interval {one.interval[0]:.3f} to {one.interval[1]:.3f}",
            )
            for (name, style, how), one in by_style.items()
        ),
    )


@cache
def _originals(recogniser: str) -> tuple[Likeness, list[tuple[NDArray[np.uint8], Face, Template]]]:
    likeness = open_likeness(settings(recogniser=recogniser), workload=Workload.MANY)
    found = []
    for path in _first_of_each():
        located = likeness.finder.locate(read_sample(path))
        if len(located.faces) == 1 and located.faces[0].quality.fit_to_enrol:
            image = Image.of(located.image.pixels)
            (template,) = likeness.finder.templates_in(image, located.faces)
            found.append((located.image.pixels, located.faces[0], template))
        if len(found) == _PEOPLE:
            break
    return likeness, found


def _recognised(recogniser: str, style: Style, hidden: "_Hide") -> _Recognised:
    likeness, originals = _originals(recogniser)
    least = likeness.calibration.point(_FMR).threshold
    recognised = 0
    for pixels, face, template in originals:
        region = Region(face.box, Manner().holding.margin_of(face.box))
        redacted = Image.of(_stored(hidden(pixels, region, style)))
        (found,) = likeness.finder.templates_in(redacted, [face])
        recognised += compare(template, found).score >= least
    return _Recognised(recognised, len(originals))


_Hide = Callable[[NDArray[np.uint8], Region, Style], NDArray[np.uint8]]


def _hidden(pixels: NDArray[np.uint8], region: Region, style: Style) -> NDArray[np.uint8]:
    redacted = pixels.copy()
    Hiding(style).hide(redacted, [(0, region)])
    return redacted


def _hidden_in_planes(pixels: NDArray[np.uint8], region: Region, style: Style) -> NDArray[np.uint8]:
    """Hide a face as that of a clip is: in brightness, and in colours of half the resolution."""
    height, width = (side // 2 * 2 for side in pixels.shape[:2])
    coded = cv2.cvtColor(pixels[:height, :width], cv2.COLOR_RGB2YUV_I420)
    samples = np.ascontiguousarray(coded, np.uint8).reshape(-1)
    Hiding(style).hide(Planes.of(samples, width, height), [(0, region)])
    rows = samples.reshape(height * 3 // 2, width)
    return np.asarray(cv2.cvtColor(rows, cv2.COLOR_YUV2RGB_I420), np.uint8)


def _stored(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    quality = [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY]
    _, stored = cv2.imencode(".jpg", pixels[..., ::-1], quality)
    decoded = required(cv2.imdecode(stored, cv2.IMREAD_COLOR), "a picture that was stored")
    return np.ascontiguousarray(np.asarray(decoded, np.uint8)[..., ::-1])


def _first_of_each() -> list[Path]:
    firsts = {path.parent.name: path for path in reversed(pictures_of_lfw())}
    names = np.random.default_rng(17).permutation(sorted(firsts)).tolist()
    return [firsts[name] for name in names]


@dataclass(slots=True)
class _Counts:
    """Frames in which somebody to be kept could be recognised, and in which they are visible."""

    recognisable: int = 0
    visible: int = 0
    strangers: int = 0
    strangers_visible: int = 0


def _kept(full: bool) -> Measurement:
    counts = _Counts()
    clips = list(composed_clips())
    for clip in clips if full else clips[:_CLIPS]:
        _count(clip, counts)
    return Measurement(
        counts.visible / max(counts.recognisable, 1),
        f"{counts.recognisable:,} faces in frames of composed clips, of people who are enrolled by"
        " one of the two photographs that they are seen in, where `identify` names them; visible"
        f" where less than {_SEEN:.0%} of a face is hidden in the stored clip, with --keep-folder"
        " and --careful",
        (
            Beside(
                "strangers",
                counts.strangers_visible / max(counts.strangers, 1),
                "share visible",
                f"of {counts.strangers:,} faces of others, hidden by less than {_HIDDEN:.0%};"
                " target none kept",
            ),
        ),
    )


FIGURES = (
    Figure("redact-recognition", "FNMR", at_least(0.98), _recognition),
    Figure("redact-kept", "share visible", at_least(0.95), _kept),
)


def _count(clip: ComposedClip, counts: _Counts) -> None:
    """Redact a composed clip but for those who are kept, and count what is stored."""
    path, truth = _written(clip)
    here = likeness_of_clips()
    kept = {clip.number * PEOPLE_EACH + one for one in _KEPT}
    people = _people(sorted(kept), clip.number)
    manner = Manner(Style.BLACK)
    out = OUT / "clips" / f"kept-{clip.number}.mp4"
    with path.open("rb") as file:
        part = ClipPart(file=file, workers=here.workers)
        followed, known = people.follow(part), people.known()
        visible = visible_people(followed, known, Whom.ALL_BUT, manner)
        fast = Manner(careful=False)
        named = visible_people(followed, known, Whom.ALL_BUT, fast).named
        faces = find_faces(file, _every_face(), manner, workers=here.workers)
        write_redacted(file, out, faces, manner, visible=visible)
    with out.open("rb") as file, reading(file) as reader:
        for frame, (time_s, faces_there) in zip(reader, truth, strict=True):
            black = required(frame.image, "pixels").pixels.max(axis=2) <= _BLACK
            for one in faces_there:
                _count_face(one, black, _is_named(named, time_s, one.box), kept, counts)


def _count_face(
    one: TrueFace, black: NDArray[np.bool_], named: bool, kept: set[int], counts: _Counts
) -> None:
    if not one.seen:
        return
    share = _share(black, one.box)
    if one.person in kept:
        if named:
            counts.recognisable += 1
            counts.visible += share < _SEEN
    else:
        counts.strangers += 1
        counts.strangers_visible += share < _HIDDEN


def _is_named(named: Sequence[NamedTrack], time_s: float, box: Box) -> bool:
    return any(
        one.called is not None
        and (there := one.box_at(time_s)) is not None
        and there.overlap(box) >= 0.4
        for one in named
    )


@cache
def likeness_of_clips() -> Likeness:
    """Get Likeness ready for many frames."""
    return open_likeness(settings(), workload=Workload.MANY)


@cache
def _every_face() -> EveryFaceOfFrames:
    here = installation()
    return EveryFaceOfFrames(here.every_face(here.engine(Workload.MANY), FRAME))


def _people(kept: Sequence[int], clip: int) -> FolderOfPeople:
    folder = OUT / "kept" / str(clip)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    heads = heads_of_people(CLIPS * PEOPLE_EACH)
    for person in kept:
        photograph = heads[person][0].photograph
        shutil.copy(photograph, folder / f"{person}{photograph.suffix}")
    here = likeness_of_clips()
    identifier = here.clip_identifier(here.gallery(folder))
    return FolderOfPeople.of(here.finder, identifier)


def _written(clip: ComposedClip) -> tuple[Path, list[tuple[float, list[TrueFace]]]]:
    path = OUT / "clips" / f"composed-{clip.number}.mp4"
    path.parent.mkdir(parents=True, exist_ok=True)
    truth = []
    with ClipWriter(path, WIDTH, HEIGHT) as writer:
        for time_s, (pixels, faces) in _frames(clip):
            writer.write(np.maximum(pixels, _DARKEST), time_s)
            truth.append((time_s, faces))
    return path, truth


def _frames(
    clip: ComposedClip,
) -> Iterator[tuple[float, tuple[NDArray[np.uint8], list[TrueFace]]]]:
    for number in range(round(LENGTH_S * RATE)):
        yield number / RATE, clip.frame(number / RATE)


def _share(black: NDArray[np.bool_], box: Box) -> float:
    """Say how much of the ellipse in a box is black, as far as it is in the frame."""
    left, top = max(0, int(box.left)), max(0, int(box.top))
    right, bottom = min(WIDTH, int(box.right) + 1), min(HEIGHT, int(box.bottom) + 1)
    x, y = np.meshgrid(np.arange(left, right) + 0.5, np.arange(top, bottom) + 0.5)
    off = ((x - (box.left + box.right) / 2) / (box.width / 2)) ** 2
    off += ((y - (box.top + box.bottom) / 2) / (box.height / 2)) ** 2
    return float(black[top:bottom, left:right][off <= 1].mean())
