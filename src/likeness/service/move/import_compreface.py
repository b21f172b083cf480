"""Which pictures does CompreFace hold, and whose are they? Its subjects' examples, to be enrolled.

CompreFace (github.com/exadel-inc/CompreFace, 0.6 and later) keeps in PostgreSQL: `model` (a
service, with `api_key`), `subject` (a name, of an api_key), `embedding` (an example, of a subject)
and `img` (an example's picture). Embeddings are another model's and stay where they are.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol
from uuid import UUID

from likeness.errors import ImageTooLarge, InvalidImage, InvalidRequest
from likeness.service.enrol.named_picture import NamedPicture, refused_picture
from likeness.terms import composed
from likeness.vision.decode import DecodeLimits, Sample, inspect


@dataclass(frozen=True, slots=True)
class Service:
    """A recognition service of CompreFace; `examples` counts what its subjects have."""

    name: str
    api_key: str
    examples: int


@dataclass(frozen=True, slots=True)
class Example:
    """An example of a subject; `picture` is None where CompreFace kept none that can be read.

    `id` is CompreFace's image id; `size_bytes` is that of the picture, also where it is too large.
    """

    id: UUID
    subject: str
    picture: bytes | None
    size_bytes: int | None


class CompreFace(Protocol):
    """What CompreFace keeps, wherever it lies."""

    def services(self) -> Sequence[Service]:
        """List the services that have subjects.

        Raises:
            InvalidRequest: what CompreFace keeps is not here.
            DatabaseUnavailable: it cannot be read.
        """

    def examples(self, service: Service) -> Iterator[Example]:
        """Read a service's examples one after the other; raises what `services` raises."""


class CompreFacePictures:
    """The pictures of a service, to be enrolled: counted, and read when it is their turn."""

    def __init__(self, compreface: CompreFace, service: Service) -> None:
        self._compreface = compreface
        self._service = service

    def __len__(self) -> int:
        """Count them."""
        return self._service.examples

    def __iter__(self) -> Iterator[NamedPicture]:
        """Name each; one that cannot be enrolled says why when it is read."""
        return map(_named, self._compreface.examples(self._service))


def compreface_pictures(compreface: CompreFace, service: str | None) -> CompreFacePictures:
    """Choose a service by its name or API key; the only one without.

    Raises:
        InvalidRequest: none or several are meant, or `CompreFace.services` says so.
        DatabaseUnavailable: CompreFace cannot be read.
    """
    services = compreface.services()
    asked = None if service is None else composed(service)
    meant = [one for one in services if asked in (None, composed(one.name), one.api_key)]
    if len(meant) == 1:
        return CompreFacePictures(compreface, meant[0])
    # Never their keys, which open them.
    names = ", ".join(repr(one.name) for one in services) or "none"
    way_out = "give its API key instead of its name" if service else "choose one with --service"
    raise InvalidRequest(
        f"one service of CompreFace was expected and {len(meant) or 'none'} are meant; those with"
        f" subjects are {names}: {way_out}"
    )


def _named(example: Example) -> NamedPicture:
    place, image_id = f"CompreFace image {example.id}", str(example.id)
    read = partial(_read, example.picture, example.size_bytes)
    try:
        return NamedPicture(place, read, example.subject, external_id=image_id)
    except InvalidRequest as error:
        return refused_picture(place, error, image_id)


def _read(picture: bytes | None, size_bytes: int | None, limits: DecodeLimits) -> Sample:
    if size_bytes is None:
        raise InvalidImage(
            "a picture was expected and CompreFace kept none of this example: enrol the person from"
            " another source"
        )
    if picture is None:
        raise ImageTooLarge(
            f"at most {limits.max_bytes} bytes were expected and {size_bytes} came: give a smaller"
            " file, or raise the limit"
        )
    return inspect(picture, limits)
