"""Tells clips from everything else by their first bytes, never by a file's name."""

HEAD_BYTES = 1024
READ = "MP4, MOV, Matroska, WebM, AVI, MPEG, Windows Media, Ogg, FLV, MXF, and others"

_PICTURES = (
    b"heic", b"heix", b"heim", b"heis", b"mif1", b"mif2", b"miaf", b"avif", b"avis",
    b"crx ", b"jp2 ", b"jpx ", b"jpm ", b"jxl ", b"hevc", b"hevx", b"msf1",
)  # fmt: skip
_SOUNDS = (b"M4A ", b"M4B ", b"M4P ", b"F4A ", b"F4B ")
_OLD_QUICKTIME = (b"moov", b"mdat", b"wide", b"pnot", b"free", b"skip")
_BEGINNINGS = (
    b"\x1aE\xdf\xa3",  # Matroska, WebM
    b"OggS",
    b"FLV\x01",
    b"\0\0\x01\xba",  # MPEG program stream
    b"\0\0\x01\xb3",  # MPEG-1 and MPEG-2 video
    b"\0\0\x01\x67",  # H.264
    b"\0\0\0\x01\x67",
    b"\0\0\0\x01\x09",
    b"\0\0\0\x01\x40\x01",  # H.265
    b"\0\0\0\x01\x46\x01",
    b"IMKH",  # MPEG program stream of some cameras
    b"DHAV",
    b"0&\xb2u\x8ef\xcf\x11",  # Windows Media
    b"\x06\x0e\x2b\x34\x02\x05\x01\x01\x0d\x01\x02\x01\x01\x02",  # MXF
    b"DKIF",
    b".RMF",
    b"nut/multimedia container\0",
    b"YUV4MPEG2 ",
    b"\x1f\x07\0",  # DV
    b"\xb7\xd8\0\x20\x37\x49\xda\x11",  # WTV
)
# What is text, or begins with it.
_TEXTS = (
    (b"#EXTM3U", "a playlist (M3U8), which names other files"),
    (b"ffconcat", "a list of files (ffconcat)"),
    (b"v=0\r\no=", "a description of a stream (SDP)"),
    (b"v=0\no=", "a description of a stream (SDP)"),
    (b"%PDF", "a PDF"),
)
_OTHERS = (
    (b"\xff\xd8\xff", "a picture (JPEG)"),
    (b"\x89PNG", "a picture (PNG)"),
    (b"GIF8", "a picture (GIF)"),
    (b"BM", "a picture (BMP)"),
    (b"II*\0", "a picture (TIFF)"),
    (b"MM\0*", "a picture (TIFF)"),
    (b"ID3", "a sound (MP3)"),
    (b"fLaC", "a sound (FLAC)"),
    (b"PK\x03\x04", "an archive (ZIP, or an office document)"),
    (b"\x1f\x8b", "an archive (gzip)"),
    (b"7z\xbc\xaf\x27\x1c", "an archive (7z)"),
    (b"Rar!", "an archive (RAR)"),
    (b"\x7fELF", "a program"),
    (b"MZ", "a program"),
    (b"SQLite format 3", "a database (SQLite)"),
)


def looks_like_clip(head: bytes) -> bool:
    """Say whether a file is a clip by its first `HEAD_BYTES` bytes; nothing is decoded.

    It may still hold sound alone, or be damaged.
    """
    if head[4:8] == b"ftyp":
        return head[8:12] not in _PICTURES + _SOUNDS
    if head[:4] == b"RIFF":
        return head[8:12] == b"AVI "
    if head[4:8] in _OLD_QUICKTIME:
        return not _is_text(head[:4])  # its size, where text has a word
    return head.startswith(_BEGINNINGS) or _is_transport(head)


def name_of_kind(head: bytes) -> str:
    """Name what a file is by its first `HEAD_BYTES` bytes, with its article."""
    if not head:
        return "empty"
    if looks_like_clip(head):
        return "a video, damaged or of a kind that is not read"
    if head[4:8] == b"ftyp":
        return "a sound (M4A)" if head[8:12] in _SOUNDS else "a picture (HEIF)"
    if head[:4] == b"RIFF":
        kinds = {b"WAVE": "a sound (WAV)", b"WEBP": "a picture (WebP)"}
        return kinds.get(head[8:12], "something unknown")
    names = (*_TEXTS, *(() if _is_text(head) else _OTHERS))
    known = (name for beginning, name in names if head.startswith(beginning))
    return next(known, "a text file" if _is_text(head) else "something unknown")


def _is_transport(head: bytes) -> bool:
    """MPEG transport streams: packets of 188 bytes, or of 192 with a time before each."""
    return any(
        all(head[at : at + 1] == b"G" for at in range(first, HEAD_BYTES - 192, step))
        for first, step in ((0, 188), (4, 192))
    )


def _is_text(head: bytes) -> bool:
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return True
    if any(byte < 9 or 13 < byte < 27 or 27 < byte < 32 for byte in head):
        return False
    try:
        head.decode()
    except UnicodeDecodeError as error:
        return error.start > len(head) - 4
    return True
