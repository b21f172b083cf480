"""Opens a clip of which only a descriptor is there, and finds its pictures' stream."""

import os
from typing import NoReturn, Protocol

import av
import av.audio.codeccontext  # PyAV imports these late, when no file can be opened any more
import av.audio.resampler
import av.audio.stream
import av.subtitles.codeccontext
import av.subtitles.stream
import av.video.codeccontext
from av.container import InputContainer
from av.error import FFmpegError
from av.stream import Discard, Disposition
from av.video.stream import VideoStream

from . import messages

# What holds a clip in one file, by FFmpeg's names. No playlists, no lists of files, no devices, no
# pictures, no subtitles: none of them is ever tried.
FORMATS = (
    "3dostr,amv,asf,asf_o,av1,avi,avs2,avs3,cavsvideo,dhav,dirac,dv,dvd,evc,f4v,flv,gxf,h261,h263,"
    "h264,hevc,ifv,ivf,kux,live_flv,lmlm4,m4v,matroska,webm,mov,mp4,m4a,3gp,3g2,mj2,mpeg,mpegts,"
    "mpegvideo,mtv,mxf,nsv,nut,nuv,obu,ogg,rm,ty,vc1,vc1test,vvc,wtv,yuv4mpegpipe"
)
# What says where each moment lies, and never goes back in time. Others are read from the beginning.
SEEKABLE = ("mov", "matroska", "avi")
# What comes over a connection and is decoded as it comes.
STREAMS = "mpegts,mpeg,flv,live_flv,matroska,webm,mov,mp4,m4a,3gp,3g2,mj2,mpjpeg"
_BUFFER = 1 << 18
# Microseconds of a stream, and bytes of it, in which it has to say what it is.
_SAYS_WITHIN = {"analyzeduration": "500000", "probesize": "5000000", "fpsprobesize": "0"}


class Unreadable(Exception):
    """The clip is not read; `reason` is one of those of `messages`."""

    def __init__(self, reason: str, width: int = 0, height: int = 0) -> None:
        super().__init__(reason)
        self.reason = reason
        self.width = width
        self.height = height


class _Bytes:
    """A file by its descriptor, as PyAV reads one; it has no name, and leaves the offset alone."""

    def __init__(self, descriptor: int, size: int) -> None:
        self._descriptor = descriptor
        self._size = size
        self._at = 0

    def read(self, size: int) -> bytes:
        data = os.pread(self._descriptor, size, self._at)
        self._at += len(data)
        return data

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size}[whence]
        if start + offset < 0:
            raise OSError("before the beginning")
        self._at = start + offset
        return self._at

    def tell(self) -> int:
        return self._at


def open_clip(descriptor: int, size: int) -> InputContainer:
    """Open the container.

    Raises:
        Unreadable: it is of no kind that is read, or damaged.
    """
    return _open(_Bytes(descriptor, size), {"format_whitelist": FORMATS})


class Arriving(Protocol):
    """What comes over a connection, read as a file that nobody can go back in."""

    def read(self, size: int) -> bytes:
        """Wait for some bytes; empty at the end."""


def open_stream(arriving: Arriving) -> InputContainer:
    """Open a container that comes over a connection.

    Raises:
        Unreadable: it is of no kind that is read.
    """
    return _open(arriving, {"format_whitelist": STREAMS, **_SAYS_WITHIN})


def _open(file: object, options: dict[str, str]) -> InputContainer:
    try:
        return av.open(
            file,
            mode="r",
            container_options={
                "protocol_whitelist": "none",
                "enable_drefs": "0",
                "use_absolute_path": "0",
                **options,
            },
            metadata_errors="replace",
            buffer_size=_BUFFER,
            io_open=_refuse,
        )
    except MemoryError:
        raise
    except (FFmpegError, PermissionError) as error:
        raise Unreadable(messages.UNREADABLE) from error


def _refuse(_url: str, _flags: int, _options: object) -> NoReturn:
    """Open no other file that a clip names; neither could this process."""
    raise PermissionError("a clip is one file")


def pictures_of(container: InputContainer) -> VideoStream:
    """Find the stream of moving pictures, and have all others passed over.

    Raises:
        Unreadable: there is none (a cover is none), or nothing here decodes it.
    """
    cover = Disposition.attached_pic | Disposition.timed_thumbnails
    streams = [one for one in container.streams.video if not one.disposition & cover]
    if not streams:
        raise Unreadable(messages.NO_VIDEO)
    # PyAV gives those that nothing decodes no context.
    contexts: list[object] = [one.codec_context for one in streams]
    able = [one for one, context in zip(streams, contexts, strict=True) if context is not None]
    if not able:
        raise Unreadable(messages.NO_DECODER)
    best = container.streams.best("video")
    stream = best if isinstance(best, VideoStream) and best in able else able[0]
    for other in container.streams:
        other.discard = Discard.default if other is stream else Discard.all
    return stream
