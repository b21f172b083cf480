"""Pictures as Rekognition takes them: JPEG or PNG, at most 5 MiB.

What is neither, or larger, is decoded and sent as a JPEG, of 95% quality and in its own size where
that suffices. Each such change is reported, as it may cost accuracy. Whatever can be sent as it is
is not looked into: whether it can be read is for the endpoint to say.
"""

import hashlib
import threading
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from likeness.errors import ImageTooLarge, InputError, InvalidImage
from likeness.service.evaluate.systems.endpoint.client import printable
from likeness.service.evaluate.systems.endpoint.journal import Journal
from likeness.service.evaluate.trials import Plan
from likeness.vision.decode import DEFAULT_LIMITS, inspect

MOST_BYTES = 5 << 20
_TAKEN = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n")
_QUALITIES = (95, 90, 80)
_LEAST_SIDE = 64
# Of a SHA-256 in hexadecimal: 128 bits name a picture.
_DIGITS = 32
_ENCODED_AT_HAND = 16
_SENT = "sent"


@dataclass(frozen=True, slots=True)
class SendablePicture:
    """The bytes to send, and how they differ from the file; empty where they do not."""

    data: bytes
    change: str


class Pictures:
    """The pictures of a plan by their ids, which are those of their bytes: duplicates share one.

    `ids` has each sample's, in order. How a picture was changed is kept in the journal.
    """

    def __init__(self, plan: Plan, journal: Journal) -> None:
        self._files: dict[str, tuple[Path, str]] = {}
        self._journal = journal
        self._unsendable: dict[str, str] = {}
        self._encoded: OrderedDict[str, bytes] = OrderedDict()
        self._lock = threading.Lock()
        self.ids = tuple(
            self._id(sample.path, digest, number)
            for number, (sample, digest) in enumerate(zip(plan.samples, plan.digests, strict=True))
        )

    def change(self, picture: str) -> str:
        """Say how what was sent differs from the file; nothing where it does not."""
        return str((self._journal.get((_SENT, picture)) or {}).get("change", ""))

    def unsendable(self, picture: str) -> str | None:
        """Give why a picture could not be sent, where that was tried."""
        return self._unsendable.get(picture)

    def bytes_of(self, picture: str) -> bytes:
        """Give what to send of a picture.

        Raises:
            InputError: it cannot be sent.
        """
        with self._lock:
            if (encoded := self._encoded.get(picture)) is not None:
                return encoded
        try:
            sent = sendable(*self._files[picture])
        except InputError as error:
            self._unsendable[picture] = printable(str(error))
            raise
        if sent.change:
            if self.change(picture) != sent.change:
                self._journal.append((_SENT, picture), {"change": sent.change})
            with self._lock:
                self._encoded[picture] = sent.data
                while len(self._encoded) > _ENCODED_AT_HAND:
                    self._encoded.popitem(last=False)
        return sent.data

    def _id(self, path: Path, digest: str, number: int) -> str:
        if not digest:
            try:
                with path.open("rb") as file:
                    digest = hashlib.file_digest(file, "sha256").hexdigest()
            except OSError:
                digest = f"unreadable-{number}"
        self._files.setdefault(digest[:_DIGITS], (path, digest))
        return digest[:_DIGITS]


def sendable(path: Path, digest: str) -> SendablePicture:
    """Read a picture that had a SHA-256 when it was planned, and make it fit to be sent.

    Raises:
        InvalidImage: the file is another now, gone, or cannot be made to fit.
        InputError: it is too large to be sent and cannot be decoded.
    """
    try:
        with path.open("rb") as file:
            data = file.read(DEFAULT_LIMITS.max_bytes + 1)
    except OSError as error:
        raise InvalidImage(f"the file cannot be read ({error.strerror})") from error
    if len(data) > DEFAULT_LIMITS.max_bytes:
        raise ImageTooLarge(f"the file has more than {DEFAULT_LIMITS.max_bytes:,} bytes")
    if digest and hashlib.sha256(data).hexdigest() != digest:
        raise InvalidImage("the file has changed since it was listed")
    if len(data) <= MOST_BYTES and data.startswith(_TAKEN):
        return SendablePicture(data, "")
    sample = inspect(data, DEFAULT_LIMITS)
    pixels = sample.decode().pixels
    encoded, quality, scale = _encoded(pixels)
    smaller = f" and {scale:.0%} of the size" if scale < 1 else ""
    return SendablePicture(
        encoded,
        f"Sent as a JPEG of {quality}% quality{smaller}: the file is a {sample.format} of"
        f" {len(data):,} bytes, and endpoints take JPEG and PNG of up to {MOST_BYTES:,}.",
    )


def _encoded(pixels: NDArray[np.uint8]) -> tuple[bytes, int, float]:
    """Encode (h, w, 3) RGB pixels as the best JPEG that may be sent."""
    scale = 1.0
    while True:
        for quality in _QUALITIES:
            done, encoded = cv2.imencode(
                ".jpg", pixels[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality]
            )
            if done and len(encoded) <= MOST_BYTES:
                return bytes(encoded), quality, scale
        height, width = (side // 2 for side in pixels.shape[:2])
        if min(height, width) < _LEAST_SIDE:
            raise InvalidImage("the picture cannot be made small enough to be sent")
        pixels = cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA).astype(np.uint8)
        scale /= 2
