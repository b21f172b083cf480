"""Names for what people give in a picture's place: other pictures, camera raw, papers, archives."""

import re

from likeness.vision.formats.header import brands

CAMERA_RAW = "Not read: this is a camera raw file{kind}. Convert it to JPEG or TIFF first."

_RAW_BEGINNINGS = (
    (b"FUJIFILMCCD-RAW", "RAF"),
    (b"IIRO", "ORF"),
    (b"IIRS", "ORF"),
    (b"MMOR", "ORF"),
    (b"IIU\0", "RW2"),
    (b"FOVb", "X3F"),
    (b"\0MRM", "MRW"),
    (b"\x04IIII", "raw"),
)
_BEGINNINGS = (
    (b"%PDF", "a PDF"),
    (b"8BPS", "a Photoshop file (PSD)"),
    (b"\xff\x0a", "a JPEG XL"),
    (b"\0\0\0\x0cJXL \r\n\x87\n", "a JPEG XL"),
    (b"\0\0\x01\0", "an icon (ICO)"),
    (b"qoif", "a QOI"),
    (b"\x76\x2f\x31\x01", "an OpenEXR"),
    (b"#?RADIANCE", "a Radiance HDR"),
    (b"II\xbc\x01", "a JPEG XR"),
    (b"AT&TFORM", "a DjVu"),
    (b"FLIF", "a FLIF"),
    (b"BPG\xfb", "a BPG"),
    (b"DDS ", "a DDS texture"),
    (b"gimp xcf", "a GIMP file (XCF)"),
    (b"\x1aE\xdf\xa3", "a video (Matroska or WebM)"),
    (b"OggS", "a video or sound (Ogg)"),
    (b"FLV\x01", "a video (Flash)"),
    (b"\0\0\x01\xba", "a video (MPEG)"),
    (b"\0\0\x01\xb3", "a video (MPEG)"),
    (b"0&\xb2u\x8ef\xcf\x11", "a video or sound (Windows Media)"),
    (b"ID3", "a sound (MP3)"),
    (b"fLaC", "a sound (FLAC)"),
    (b"PK\x03\x04", "an archive (ZIP, or an office document)"),
    (b"PK\x05\x06", "an archive (ZIP) that is empty"),
    (b"Rar!", "an archive (RAR)"),
    (b"7z\xbc\xaf\x27\x1c", "an archive (7z)"),
    (b"\x1f\x8b", "an archive (gzip)"),
    (b"BZh", "an archive (bzip2)"),
    (b"\xfd7zXZ", "an archive (xz)"),
    (b"(\xb5/\xfd", "an archive (Zstandard)"),
    (b"\xd0\xcf\x11\xe0", "an office document"),
    (b"\x7fELF", "a program"),
    (b"MZ", "a program"),
    (b"SQLite format 3", "a database (SQLite)"),
    (b"\x93NUMPY", "a NumPy file"),
)
# What is known by bytes at several places, or further on.
_SIGNS = (
    ({0: b"RIFF", 8: b"AVI "}, "a video (AVI)"),
    ({0: b"RIFF", 8: b"WAVE"}, "a sound (WAV)"),
    ({0: b"G", 188: b"G", 376: b"G"}, "a video (MPEG transport stream)"),
    ({257: b"ustar"}, "an archive (tar)"),
    ({128: b"DICM"}, "a DICOM file"),
)
_NETPBM = re.compile(rb"P[1-7fF][\n \r\t]")
_BRANDS = {
    **dict.fromkeys((b"hevc", b"hevx", b"msf1"), "an animation (HEIF sequence)"),
    **dict.fromkeys((b"M4A ", b"M4B "), "a sound (M4A)"),
    b"jxl ": "a JPEG XL",
}
_VIDEOS = {
    b"qt  ": "QuickTime",
    b"3gp": "3GP",
    b"3g2": "3GP",
    b"M4V": "M4V",
    b"f4v": "Flash",
}
_LOOKED_AT = 1024
_SURELY_TEXT = 64  # bytes without one that text has not


def camera_raw(data: bytes) -> str | None:
    """Name the kind of a camera raw file that is known by its beginning; None for other files."""
    if data[8:10] == b"CR" and data.startswith((b"II*\0", b"MM\0*")):
        return "CR2"
    if brands(data)[:1] == (b"crx ",):
        return "CR3"
    return next((kind for start, kind in _RAW_BEGINNINGS if data.startswith(start)), None)


def name_kind(data: bytes) -> str:
    """Name what is no picture that is read, with its article."""
    signs = (*(({0: start}, name) for start, name in _BEGINNINGS), *_SIGNS)
    for places, name in signs:
        if all(data.startswith(sign, at) for at, sign in places.items()):
            return name
    if _NETPBM.match(data):
        return "a Netpbm picture (PBM, PGM, PPM or PAM)"
    found = brands(data)
    if found:
        return _of_boxes(found[0])
    return _of_text(data) or "something unknown"


def _of_boxes(major: bytes) -> str:
    videos = (name for start, name in _VIDEOS.items() if major.startswith(start))
    return _BRANDS.get(major) or f"a video ({next(videos, 'MP4')})"


def _of_text(data: bytes) -> str | None:
    start = data[:_LOOKED_AT]
    if start.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "a text file"
    start = start.removeprefix(b"\xef\xbb\xbf")
    words = start.lstrip().lower()
    for is_so, name in (
        (b"<svg" in words, "a drawing (SVG)"),
        (words.startswith(b"<!doctype html") or b"<html" in words, "a web page (HTML)"),
        (words.startswith(b"version https://git-lfs"), "a pointer of Git LFS, not the file itself"),
        (words.startswith(b"<?xml"), "an XML file"),
    ):
        if is_so:
            return name
    if not start or any(byte < 9 or 13 < byte < 27 or 27 < byte < 32 for byte in start):
        return None
    try:
        start.decode()
    except UnicodeDecodeError as error:
        # The last character may be cut; in older character sets there is no wrong byte.
        cut = len(data) > _LOOKED_AT and error.start > len(start) - 4
        return "a text file" if cut or len(start) > _SURELY_TEXT else None
    return "a text file"
