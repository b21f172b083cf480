"""What a command writes beside its answer: annotated copies, stills and a CSV file."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path, PurePath

from likeness.buckets import Buckets
from likeness.cli.clips.sources import ClipPlace
from likeness.cli.clips.tables import WITHHELD, ShownClip
from likeness.cli.terminal.copies import copies_of
from likeness.cli.terminal.exit_codes import warn
from likeness.cli.terminal.output_file import check_output, name_beside, private_output
from likeness.cli.terminal.plain_text import plain
from likeness.cli.terminal.words import similarity_in_words
from likeness.errors import InvalidRequest
from likeness.service.uses import opens_blurred, still_of
from likeness.service.video.asked import LocalClip
from likeness.service.video.second_look import Marked, Still, annotate_clip, stills_of
from likeness.service.video.seen import ClipPerson
from likeness.video import ClipLimits, Sampling
from likeness.vision.draw import Mark

_COPY = ".mp4"
_LONGEST_NAME_BYTES = 120


class AnnotatedClips:
    """Writes an annotated copy of each clip to `out`, a file or a folder; none without it.

    Raises:
        InvalidRequest: a copy cannot be written, would replace a clip, or shares its name with
            another.
    """

    def __init__(self, clips: Sequence[ClipPlace], out: Path | None) -> None:
        self._copies = {} if out is None else copies_of_clips(clips, out, called="annotated")
        for copy in self._copies.values():
            check_output(copy)

    def write(
        self,
        place: ClipPlace,
        shown: ShownClip,
        buckets: Buckets,
        sampling: Sampling,
        limits: ClipLimits,
        tell: Callable[[float], None],
    ) -> Path | None:
        """Write the copy of one clip, each person with a label; give where it is."""
        copy = self._copies.get(place)
        if copy is not None:
            with place.open(buckets, limits) as file:
                annotate_clip(file, copy, marked(shown), sampling, limits, tell)
        return copy


def marked(shown: ShownClip) -> list[Marked]:
    """Say how each person of a clip is marked."""
    calls = shown.calls()
    return [
        Marked(_label(one, calls[one.number]), _colour(shown, one), one.box_at)
        for one in shown.seen.people
    ]


def _label(person: ClipPerson, called: str) -> str:
    if person.withheld:
        return WITHHELD
    match = person.match
    return plain(called) + (f" {similarity_in_words(match.similarity)}" if match else "")


def _colour(shown: ShownClip, person: ClipPerson) -> Mark:
    if not shown.names_people or person.withheld:
        return Mark.FOUND
    return Mark.UNMATCHED if person.match is None else Mark.MATCHED


class Stills:
    """Writes the best shot of each person into a folder, for nobody else to read; or none at all.

    They are blurred where `purpose` asks for that, unless `unblurred`.

    Raises:
        InvalidRequest: the folder cannot be made, or clips of one name would share names.
    """

    def __init__(
        self, clips: Sequence[ClipPlace], folder: Path | None, purpose: str, *, unblurred: bool
    ) -> None:
        self._folder, self._purpose, self._unblurred = folder, purpose, unblurred
        if folder is None:
            return
        require_names_apart(_stem(one) for one in clips)
        if folder.exists() and not folder.is_dir():
            raise InvalidRequest(f"'{folder}' is a file, no folder. Name a folder for the shots.")
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise InvalidRequest(
                f"'{folder}' cannot be made ({error.strerror}). Name another folder."
            ) from error
        check_output(folder / "still.jpg")
        if opens_blurred(purpose) and not unblurred:
            warn(f"stills are blurred, since the purpose is {purpose}: --unblurred leaves them")

    def write(
        self,
        place: ClipPlace,
        shown: ShownClip,
        buckets: Buckets,
        sampling: Sampling,
        limits: ClipLimits,
    ) -> Mapping[int, Path]:
        """Write the stills of one clip; give where each person's is."""
        if self._folder is None:
            return {}
        wanted = {
            one.number: Still(one.best_s, one.best_face.box)
            for one in shown.seen.people
            if one.best_s is not None and one.best_face is not None
        }
        with place.open(buckets, limits) as file:
            stills = stills_of(file, wanted, sampling, limits)
        calls, written = shown.calls(), {}
        for person in shown.seen.people:
            if person.number in stills:
                named = shown.names_people and person.match is not None
                # A name may be of any letters: the file is called by the number.
                called = f"person {person.number + 1}" if named else calls[person.number]
                ending = f"-{called.replace(' ', '-')}.jpg"
                path = self._folder / name_beside(_stem(place), ending)
                with private_output(path) as still:
                    still.write(
                        still_of(stills[person.number], self._purpose, unblurred=self._unblurred)
                    )
                written[person.number] = path
        return written


def require_names_apart(names: Iterable[str]) -> None:
    """Refuse clips of one name, whose copies would lie in one folder.

    Raises:
        InvalidRequest: two have the same.
    """
    every = list(names)
    if len({*every}) < len(every):
        raise InvalidRequest(
            "Several clips have the same name, and what is written of them would lie in one folder."
            " Give them one at a time."
        )


def file_name(place: ClipPlace) -> str:
    """Give the last part of where a clip lies, which a file may be called by."""
    if isinstance(place, LocalClip):
        return place.path.name
    # A key of S3 may end in a slash, hold what no name may, or be longer than any.
    last = plain(place.key.rstrip("/").rpartition("/")[2])
    return last.encode()[-_LONGEST_NAME_BYTES:].decode(errors="ignore").lstrip(".") or "clip"


def _stem(place: ClipPlace) -> str:
    return PurePath(file_name(place)).stem


def copies_of_clips(clips: Sequence[ClipPlace], out: Path, *, called: str) -> dict[ClipPlace, Path]:
    """Say where the copy of each clip goes.

    Raises:
        InvalidRequest: it would replace a clip, or share its name with another.
    """
    return copies_of(
        clips,
        out,
        kind="clip",
        called=called,
        suffixes=[_COPY],
        name_of=_copy_name,
        file_of=lambda clip: clip.path if isinstance(clip, LocalClip) else None,
    )


def _copy_name(place: ClipPlace) -> str:
    name = file_name(place)
    return name if name.lower().endswith(_COPY) else f"{name}{_COPY}"
