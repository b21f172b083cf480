"""How a TIFF's samples lie in its file: what its tags say, checked before anything is unpacked."""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from likeness.errors import InvalidImage, UnsupportedImageFormat
from likeness.vision.formats.header import Directory


class Photometric(IntEnum):
    """What the samples of a pixel are, of the kinds that are read."""

    WHITE_IS_ZERO = 0
    BLACK_IS_ZERO = 1
    RGB = 2
    PALETTE = 3
    CMYK = 5
    YCBCR = 6


class Predictor(IntEnum):
    """What is stored in place of a sample."""

    NONE = 1
    DIFFERENCES = 2
    FLOAT_DIFFERENCES = 3


NONE, LZW, DEFLATE, PACKBITS, FAX, JPEG = 1, 5, (8, 32946), 32773, (2, 3, 4), 7
COMPRESSIONS = (NONE, *FAX, LZW, JPEG, *DEFLATE, PACKBITS)
_COMPRESSION_NAMES = {
    6: "the JPEG of before 1995",
    34676: "SGI's LogLuv",
    34712: "JPEG 2000",
    34887: "LERC",
    34925: "LZMA",
    50000: "Zstandard",
    50001: "WebP",
    50002: "JPEG XL",
}
_PHOTOMETRIC_NAMES = {4: "a mask", 8: "CIE Lab", 9: "ICC Lab", 10: "ITU Lab", 32844: "LogL"}
_PHOTOMETRIC_NAMES |= {32845: "LogLuv"}
_COLOURS: dict[int, int] = {
    Photometric.WHITE_IS_ZERO: 1,
    Photometric.BLACK_IS_ZERO: 1,
    Photometric.RGB: 3,
    Photometric.PALETTE: 1,
    Photometric.CMYK: 4,
    Photometric.YCBCR: 3,
}

UNSIGNED, SIGNED, FLOAT, UNDEFINED = 1, 2, 3, 4
_BITS = {UNSIGNED: (*range(1, 17), 32), FLOAT: (16, 32, 64)}
_MAX_SAMPLES = 16

# A tile may be larger than a small picture. Each costs time of its own, and so does what tiles have
# beyond the picture: writers make tiles of 64x64 pixels or more, and fill the last ones up.
_MAX_PIECE_PIXELS = 1 << 20
_MIN_TILES, _PIXELS_PER_TILE = 4096, 1024
_MIN_TILED_PIXELS, _TIMES_THE_PICTURE = 1 << 24, 4


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Layout:
    """A page of (height, width) pixels of `samples` samples with `bits` each.

    It lies in pieces, strips or tiles, of (piece_h, piece_w) pixels, `across` of them side by side;
    the planes of a planar page follow one another. `alpha` is the index of the sample with opacity,
    and `associated` whether colours are multiplied by it.
    """

    order: str
    width: int
    height: int
    bits: int
    samples: int
    sample_format: int
    compression: int
    photometric: int
    predictor: int
    bits_reversed: bool
    planar: bool
    tiled: bool
    piece_w: int
    piece_h: int
    offsets: NDArray[np.int64]
    sizes: NDArray[np.int64]
    palette: NDArray[np.int64]
    alpha: int | None
    associated: bool

    @property
    def planes(self) -> int:
        """How many planes follow one another."""
        return self.samples if self.planar else 1

    @property
    def across(self) -> int:
        """How many pieces lie side by side."""
        return -(-self.width // self.piece_w)

    @property
    def down(self) -> int:
        """How many pieces lie one below the other."""
        return -(-self.height // self.piece_h)

    @property
    def row_bytes(self) -> int:
        """Bytes of one row of a piece."""
        return -(-self.piece_w * (self.samples // self.planes) * self.bits // 8)

    def check_pieces(self, size: int) -> None:
        """Check that the pieces cover the page and lie within a file of this size.

        Packed pieces may not share bytes either: unpacking would go through the file once for each.

        Raises:
            InvalidImage: they do not, or do.
        """
        count = self.across * self.down * self.planes
        if len(self.offsets) < count:
            raise InvalidImage(
                f"Damaged: this TIFF has {len(self.offsets)} strips or tiles of {count}. Save it"
                " anew."
            )
        ends = self.offsets[:count] + self.sizes[:count]
        if ends.max() > size:
            raise InvalidImage(
                f"Truncated: this TIFF has {size} of {ends.max()} bytes. Fetch it again."
            )
        packed = int(self.sizes[:count].sum())
        if self.compression != NONE and packed > size:
            raise InvalidImage(
                f"Damaged: the strips or tiles of this TIFF have {packed} bytes together and the"
                f" file has {size}. Save it anew."
            )


def layout_of(directory: Directory) -> Layout:
    """Read the tags of a page.

    Raises:
        UnsupportedImageFormat: its samples are of a kind that is not read.
        InvalidImage: its tiles are larger than the picture.
        ValueError: the tags are damaged.
    """
    width, height = directory.number(256), directory.number(257)
    compression = directory.number(259, NONE)
    photometric = directory.number(262, Photometric.BLACK_IS_ZERO)
    samples = directory.number(277, 1)
    bits = {int(bits) for bits in directory.numbers(258, 1)[:_MAX_SAMPLES]}
    formats = {int(each) for each in directory.numbers(339, UNSIGNED)[:_MAX_SAMPLES]}
    colours = _COLOURS.get(photometric, 0)
    compression_name = _COMPRESSION_NAMES.get(compression, f"number {compression}")
    colours_name = _PHOTOMETRIC_NAMES.get(photometric, f"of kind {photometric}")
    _refuse_where(
        (compression not in COMPRESSIONS, f"its compression is {compression_name}"),
        (photometric not in _COLOURS, f"its colours are {colours_name}"),
        (
            not colours <= samples <= _MAX_SAMPLES,
            f"it has {samples} samples a pixel in place of {colours}",
        ),
        (len(bits) != 1 or len(formats) != 1, "its samples are of several depths or kinds"),
    )
    (depth,), (sample_format,) = bits, formats
    sample_format = UNSIGNED if sample_format == UNDEFINED else sample_format
    kind = {SIGNED: "signed ", FLOAT: "float "}.get(sample_format, "")
    predictor = directory.number(317, Predictor.NONE)
    is_palette, is_ycbcr = photometric == Photometric.PALETTE, photometric == Photometric.YCBCR
    _refuse_where(
        (
            depth not in _BITS.get(sample_format, ()),
            f"its samples are {kind}numbers of {depth} bits",
        ),
        (
            not _is_predicted_as_read(predictor, depth, sample_format),
            f"its predictor is number {predictor} for samples of {depth} bits",
        ),
        (
            (compression in FAX and depth != 1) or (compression == JPEG and depth != 8),
            f"its samples of {depth} bits are compressed as JPEG or fax",
        ),
        (
            is_palette and (depth > 8 or sample_format != UNSIGNED),
            f"its palette has more than 256 colours ({depth} bits)",
        ),
        (
            is_ycbcr and (depth != 8 or samples != 3),
            f"its YCbCr samples are {samples} of {depth} bits",
        ),
    )
    is_planar = directory.number(284, 1) == 2 and samples > 1
    tiled = 322 in directory.entries
    piece_w = directory.number(322) if tiled else width
    piece_h = directory.number(323) if tiled else min(directory.number(278, height), height)
    offsets = directory.numbers(324 if tiled else 273)
    sizes = directory.numbers(325 if tiled else 279)
    if min(piece_w, piece_h) < 1 and min(width, height) > 0:
        raise ValueError("strips or tiles without an area")
    if piece_w * piece_h > max(_MAX_PIECE_PIXELS, width * height):
        raise InvalidImage(
            f"Damaged: the tiles of this TIFF have {piece_w}x{piece_h} pixels and the picture has"
            f" {width}x{height}. Save it anew."
        )
    if tiled:
        _check_tiles(width, height, piece_w, piece_h, samples if is_planar else 1)
    extra = directory.numbers(338)[:_MAX_SAMPLES].tolist() if samples > colours else []
    kind_of_extra = extra[0] if extra else 0
    return Layout(
        order=directory.order,
        width=width,
        height=height,
        bits=depth,
        samples=samples,
        sample_format=sample_format,
        compression=compression,
        photometric=photometric,
        predictor=predictor,
        bits_reversed=directory.number(266, 1) == 2,
        planar=is_planar,
        tiled=tiled,
        piece_w=max(1, piece_w),
        piece_h=max(1, piece_h),
        offsets=offsets,
        sizes=sizes if len(sizes) == len(offsets) else np.zeros_like(offsets),
        palette=directory.numbers(320)[: 3 << 8],
        alpha=colours if kind_of_extra in (1, 2) and photometric != Photometric.CMYK else None,
        associated=kind_of_extra == 1,
    )


def _check_tiles(width: int, height: int, tile_w: int, tile_h: int, planes: int) -> None:
    """Bound the number of tiles, and the pixels that all of them have."""
    if min(tile_w, tile_h) < 1:
        return  # of a page without an area
    across, down = -(-width // tile_w), -(-height // tile_h)
    tiles, pixels = planes * across * down, across * tile_w * down * tile_h
    if tiles > max(_MIN_TILES, width * height // _PIXELS_PER_TILE) or pixels > max(
        _MIN_TILED_PIXELS, _TIMES_THE_PICTURE * width * height
    ):
        raise InvalidImage(
            f"Too costly: this TIFF of {width}x{height} pixels has {tiles} tiles of"
            f" {tile_w}x{tile_h}. Save it as a PNG."
        )


def _is_predicted_as_read(predictor: int, bits: int, sample_format: int) -> bool:
    if predictor == Predictor.DIFFERENCES:
        return bits in (8, 16, 32, 64)
    return predictor == Predictor.NONE or (
        predictor == Predictor.FLOAT_DIFFERENCES and sample_format == FLOAT
    )


def _refuse_where(*faults: tuple[bool, str]) -> None:
    """Refuse a page for the first of these faults that it has."""
    why = next((why for is_so, why in faults if is_so), None)
    if why is not None:
        raise UnsupportedImageFormat(f"Not read: in this TIFF {why}. Save it as a PNG.")
