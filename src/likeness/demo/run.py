"""The demonstration, step by step; every step says what it does while it does it.

All its photographs are in the public domain. The samples hold three people, and another photograph
of one of them only. So two are enrolled, the third is the face that nobody enrolled, and Joe
Biden's second picture is an altered copy of his first, which every caption says.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from likeness import __version__
from likeness.app import Installation, Workload
from likeness.artifacts import PinnedFile, Publisher, catalogue, fetch_all
from likeness.cli.clips.copies import marked
from likeness.cli.clips.tables import ShownClip
from likeness.cli.identify import label_of, mark_of
from likeness.cli.terminal.output_file import write_output
from likeness.cli.terminal.progress import fetching
from likeness.config import read_settings
from likeness.demo.clip import CUT_S, LENGTH_S, Sight, shown_at, write_clip
from likeness.demo.group_picture import (
    ALTERATIONS,
    Pixels,
    altered,
    captioned,
    place_of,
    portrait,
    side_by_side,
)
from likeness.errors import EngineUnavailable
from likeness.library import Likeness
from likeness.service.search.folder_gallery import FolderGallery
from likeness.service.search.identify import Identification, Identifier
from likeness.service.video.second_look import annotate_clip
from likeness.service.video.seen import ClipPerson
from likeness.terms import Image
from likeness.video import Sampling
from likeness.vision.draw import annotate
from likeness.vision.encode import picture_bytes


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody, the photograph enrolled and the one in the group picture.

    Without `enrolled` the person is a stranger to the gallery. `altered` is whether the group
    picture shows a visibly altered copy.
    """

    name: str
    enrolled: PinnedFile | None
    shown: PinnedFile
    altered: bool

    @property
    def told(self) -> str:
        """What the group picture shows of this person, in a few words."""
        if self.enrolled is None:
            return "not enrolled"
        return "ALTERED COPY of the one enrolled" if self.altered else "another photograph"

    @property
    def told_at_length(self) -> str:
        """The same in two lines."""
        if self.enrolled is None:
            return "Nobody enrolled her: the right answer\nis no match."
        if self.altered:
            return f"ALTERED COPY of the photograph enrolled:\n{ALTERATIONS}."
        return "Another photograph than the one\nthat was enrolled."


PEOPLE = (
    Person("Barack Obama", catalogue.OBAMA, catalogue.OBAMA_2, altered=False),
    Person("Joe Biden", catalogue.BIDEN, catalogue.BIDEN, altered=True),
    Person("Eileen Collins", None, catalogue.ASTRONAUT, altered=False),
)


Photographs = dict[PinnedFile, Path]

SIGHTS = (
    Sight("Barack Obama", 0.0, CUT_S, (-0.16, 0.44), (0.36, 0.44)),
    Sight("Eileen Collins", 1.2, CUT_S, (1.16, 0.44), (0.74, 0.46)),
    Sight("Joe Biden", CUT_S, LENGTH_S, (0.24, 0.46), (0.34, 0.44)),
    Sight("Barack Obama", 4.8, 6.2, (1.16, 0.44), (0.72, 0.46)),
    Sight("Barack Obama", 6.2, 7.6, (0.72, 0.46), (1.16, 0.44)),
)
"""Who comes and goes in the clip, and when."""

_CLIP_LINES = (
    "A composition of public-domain photographs (The White House, NASA): nobody was filmed.",
    f"Joe Biden is shown in an ALTERED COPY of the photograph enrolled: {ALTERATIONS}.",
)
_FOOTER = (
    "A composition of public-domain photographs (The White House, NASA): these people were not"
    " photographed together."
)


@dataclass(frozen=True, slots=True)
class NamedFace:
    """A face of the group picture: whose it is, who it is found to be, how long that took."""

    person: Person
    identification: Identification
    template_ms: float
    search_ms: float

    @property
    def right(self) -> bool:
        """Whether somebody enrolled was named, or a stranger was not."""
        match = self.identification.match
        named = match.subject if match else None
        return named == (self.person.name if self.person.enrolled else None)


@dataclass(frozen=True, slots=True)
class Demonstration:
    """What came of it; `milliseconds` are those of each stage.

    `clip` is who is seen when in the clip; None where nothing here reads clips.
    """

    likeness: Likeness
    identifier: Identifier
    faces: tuple[NamedFace, ...]
    milliseconds: dict[str, float]
    clip: ShownClip | None

    @property
    def right(self) -> bool:
        """Whether everybody enrolled was named in the picture, and nobody wrongly, nor in the clip.

        Where few look at a camera for long, rates may leave somebody in a clip unnamed.
        """
        seen = () if self.clip is None else self.clip.seen.people
        return all(named.right for named in self.faces) and all(map(_right_in_clip, seen))


def run(out: Path) -> Demonstration:
    """Enrol two people, compose a group picture, find and name everybody in it.

    Does so in a clip, too, where PyAV is there. Writes `gallery/`, `group.jpg`, `annotated.jpg`,
    `clip.mp4`, `clip-annotated.mp4` and `clip-redacted.mp4` into `out`.
    """
    milliseconds: dict[str, float] = {}
    photographs, likeness = _ready(milliseconds)
    gallery, identifier = _enrol(likeness, photographs, out / "gallery", milliseconds)

    _say("Composing a group picture:")
    for person in PEOPLE:
        _say(f"  {person.name}: {person.told}")
    portraits = {person.name: _portrait(likeness, person, photographs) for person in PEOPLE}
    group = side_by_side([*portraits.values()])
    write_output(out / "group.jpg", picture_bytes(group, ".jpg"))

    _say("Finding and naming everybody in it ...")
    faces = _name(likeness, identifier, out / "group.jpg", milliseconds)
    write_output(out / "annotated.jpg", picture_bytes(_annotated(group, faces), ".jpg"))
    clip = _clip(likeness, gallery, portraits, out, milliseconds)
    return Demonstration(likeness, identifier, faces, milliseconds, clip)


def _ready(milliseconds: dict[str, float]) -> tuple[Photographs, Likeness]:
    settings = read_settings()
    _say(f"Likeness {__version__}: weights and sample photographs, pinned by SHA-256, are fetched")
    _say(f"into {settings.cache} where they are missing ...")
    wanted = [photo for person in PEOPLE for photo in (person.enrolled, person.shown) if photo]
    with fetching() as progress, _timed(milliseconds, "load"):
        # Who types `make demo` wants the better recogniser; within a day of a failure, in vain.
        asking = Installation(settings, Publisher.UNLESS_IT_FAILED)
        asking.fetch_better(_say, progress)
        installation = Installation(settings)
        if installation.choice.drawback:
            _say(installation.choice.drawback)
        paths = fetch_all(wanted, installation.sources, progress)
        likeness = Likeness(installation, Workload.ONE, progress)
        return dict(zip(wanted, paths, strict=True)), likeness


def _enrol(
    likeness: Likeness, photographs: Photographs, folder: Path, milliseconds: dict[str, float]
) -> tuple[FolderGallery, Identifier]:
    folder.mkdir(parents=True, exist_ok=True)
    for person in PEOPLE:
        if person.enrolled:
            _say(f"Enrolling {person.name} from one photograph, {person.enrolled.name} ...")
            photograph = photographs[person.enrolled]
            write_output(folder / f"{person.name}{photograph.suffix}", photograph.read_bytes())
    with _timed(milliseconds, "enrol"):
        gallery = likeness.gallery(folder)
        return gallery, likeness.identifier(gallery)


def _portrait(likeness: Likeness, person: Person, photographs: Photographs) -> Pixels:
    sample = likeness.sample(photographs[person.shown])
    located = likeness.finder.locate(sample)
    pixels = portrait(sample.decode(), located.faces[located.foremost].box)
    return altered(pixels) if person.altered else pixels


def _name(
    likeness: Likeness, identifier: Identifier, picture: Path, milliseconds: dict[str, float]
) -> tuple[NamedFace, ...]:
    with _timed(milliseconds, "find"):
        located = likeness.finder.locate(likeness.sample(picture))
    faces = []
    for index, face in enumerate(located.faces):
        took: dict[str, float] = {}
        with _timed(took, "template"):
            (template,) = likeness.finder.templates(located, [index])
        with _timed(took, "search"):
            candidates = identifier.candidates(template)
        person = PEOPLE[place_of(face.box)]
        identification = Identification(face, template, candidates)
        faces.append(NamedFace(person, identification, took["template"], took["search"]))
    return tuple(sorted(faces, key=lambda named: named.identification.face.box.left))


def _clip(
    likeness: Likeness,
    gallery: FolderGallery,
    portraits: dict[str, Pixels],
    out: Path,
    milliseconds: dict[str, float],
) -> ShownClip | None:
    """Write a clip, find out who is seen when, and write two copies: one marked, one redacted."""
    clip, annotated_clip = out / "clip.mp4", out / "clip-annotated.mp4"
    _say("Composing a clip of them, who come, go and return ...")
    try:
        write_clip(clip, portraits, SIGHTS, _CLIP_LINES)
    except EngineUnavailable as error:
        _say(f"No clip: {error}")
        return None
    _say("Finding and naming everybody in it ...")
    with _timed(milliseconds, "clip"):
        told = ShownClip(str(clip), likeness.identify_clip(clip, gallery), True, {})
    with clip.open("rb") as file:
        annotate_clip(file, annotated_clip, marked(told), Sampling())
    _say("Hiding whoever is not enrolled in a copy that is safe to share ...")
    with _timed(milliseconds, "redact"):
        likeness.redact_clip(clip, out / "clip-redacted.mp4", keep=gallery)
    return told


def _right_in_clip(person: ClipPerson) -> bool:
    """Whether somebody in the clip has no name, or that of whom the clip shows there."""
    sight = person.intervals[0]
    time_s = (sight.begins_s + sight.ends_s) / 2
    match, box = person.match, person.box_at(time_s)
    return match is None or (box is not None and match.name == shown_at(SIGHTS, time_s, box))


def _annotated(group: Pixels, faces: tuple[NamedFace, ...]) -> Pixels:
    found = [named.identification for named in faces]
    marked = annotate(
        Image.of(group),
        [each.face for each in found],
        [label_of(each) for each in found],
        [mark_of(each) for each in found],
    )
    return captioned(
        marked.pixels,
        [(person.name, person.told_at_length, person.altered) for person in PEOPLE],
        _FOOTER,
    )


def _say(text: str) -> None:
    print(text, flush=True)


@contextmanager
def _timed(milliseconds: dict[str, float], stage: str) -> Iterator[None]:
    started = time.perf_counter()
    yield
    milliseconds[stage] = 1000 * (time.perf_counter() - started)
