"""Read the weights of dlib's face recognition ResNet from its `.dat` stream.

The format is dlib's own serialisation (`dlib/serialize.h`), of which only what this one network
needs is read: an integer is a length byte (low nibble: bytes, bit 7: sign) and little-endian
bytes; a string is its length and its bytes; a tensor is its version, four dimensions, then raw
little-endian float32. In forward order the stream holds 29 convolutions, each followed by an
affine layer (a frozen batch normalisation), then one 256x128 matrix. Between them lie settings and
empty tensors that inference does not need; they are passed over.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from likeness.errors import InvalidRequest

Floats = NDArray[np.float32]

_CONVOLUTION = b"\x01\x05con_4"
_AFFINE = b"\x01\x07affine_"
_MATRIX = b"\x01\x04fc_2"
_TENSOR_VERSION = 2
# Settings between two layers take a few hundred bytes; a marker farther off belongs to another net.
_REACH = 4096
_MATRIX_SHAPE = (256, 128)
# (filters, side of the kernel, channels in) of every convolution, in forward order.
CONVOLUTIONS = (
    (32, 7, 3),
    *[(32, 3, 32)] * 6,
    (64, 3, 32),
    *[(64, 3, 64)] * 7,
    (128, 3, 64),
    *[(128, 3, 128)] * 5,
    (256, 3, 128),
    *[(256, 3, 256)] * 7,
)


@dataclass(frozen=True, slots=True, eq=False)
class Convolution:
    """One convolution with the affine layer behind it: y = gain * (filters * x + bias) + shift.

    `filters` is (out, in, k, k) float32; `bias`, `gain` and `shift` are (out,) float32.
    """

    filters: Floats
    bias: Floats
    gain: Floats
    shift: Floats


@dataclass(frozen=True, slots=True, eq=False)
class ResNetWeights:
    """All parameters, convolutions in forward order; `matrix` is (256, 128) float32."""

    convolutions: tuple[Convolution, ...]
    matrix: Floats


def read_resnet_weights(stream: bytes) -> ResNetWeights:
    """Read `dlib_face_recognition_resnet_model_v1.dat`, uncompressed.

    Raises:
        InvalidRequest: the bytes are not that network.
    """
    reader = _Reader(stream)
    convolutions = tuple(_convolution(reader, *shape) for shape in CONVOLUTIONS)
    reader.seek(_MATRIX)
    reader.integer()  # outputs
    reader.integer()  # inputs
    matrix = reader.tensor(math.prod(_MATRIX_SHAPE)).reshape(_MATRIX_SHAPE)
    return ResNetWeights(convolutions, matrix)


def _convolution(reader: "_Reader", filters: int, side: int, channels: int) -> Convolution:
    reader.seek(_CONVOLUTION)
    values = reader.tensor(filters * channels * side * side + filters)
    reader.seek(_AFFINE)
    affine = reader.tensor(2 * filters)
    return Convolution(
        filters=values[:-filters].reshape(filters, channels, side, side),
        bias=values[-filters:],
        gain=affine[:filters],
        shift=affine[filters:],
    )


class _Reader:
    """Walks a dlib stream from front to back."""

    def __init__(self, stream: bytes) -> None:
        self._stream = stream
        self._at = 0

    def seek(self, marker: bytes) -> None:
        """Move behind the next layer's name."""
        found = self._stream.find(marker, self._at, self._at + _REACH)
        if found < 0:
            raise InvalidRequest(
                "expected the weights of dlib_face_recognition_resnet_model_v1.dat; no layer"
                f" {marker[2:].decode()} follows byte {self._at}: fetch the file again"
            )
        self._at = found + len(marker)

    def integer(self) -> int:
        head = self._take(1)[0]
        value = int.from_bytes(self._take(head & 0x0F), "little")
        return -value if head & 0x80 else value

    def tensor(self, expected_values: int) -> Floats:
        version = self.integer()
        dimensions = [self.integer() for _ in range(4)]
        if version != _TENSOR_VERSION or math.prod(dimensions) != expected_values:
            raise InvalidRequest(
                f"expected a tensor of {expected_values} values before byte {self._at}; found"
                f" version {version} with dimensions {dimensions}: fetch the file again"
            )
        return np.frombuffer(self._take(4 * expected_values), "<f4").astype(np.float32)

    def _take(self, count: int) -> bytes:
        taken = self._stream[self._at : self._at + count]
        if len(taken) < count:
            raise InvalidRequest(
                f"expected {count} bytes at byte {self._at} of the weights; the file ends at"
                f" {len(self._stream)}: fetch it again"
            )
        self._at += count
        return taken
