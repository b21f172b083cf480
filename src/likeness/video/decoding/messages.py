"""What the program that decodes is asked, and what it says: lines of JSON, and thumbnails.

It says `ready`, `opened` (or `failed`), then a `frame` for each, and `ended`. A `frame` is followed
by the bytes of its thumbnail. Pixels lie in a ring of shared memory: a `frame` that has some names
its slot, and the slot's number comes back as one byte once they are copied. The first byte of all
says how many slots there are: the ring is made once a clip is open.

A stream comes by a socket, piece by piece; each begins with when it came. It says `ready`, and
`opened` where each part begins: then all slots are free, and another first byte comes. A `frame`
has pixels and says when it came (`arrived_s`); `passed` says that it is alive, and both how many
frames were `decoded`, `damaged`, and `dropped` because no slot was free.

Of a clip's sound it says `ready`, `sound_opened` (or `failed`), then `sound` for each piece, and
`ended`. A `sound` is followed by so many `bytes` of samples: 16 bits each, channels in turn.
"""

import json
import os
import struct

# What pixels are asked to be in place of RGB: planes of samples, which a slot holds as well.
PLANES = "planes"

THUMBNAIL_WH = 64, 36
THUMBNAIL_BYTES = THUMBNAIL_WH[0] * THUMBNAIL_WH[1] * 3
LONGEST_LINE = 4096
MOST_SOUND_BYTES = 1 << 16

# Before each piece of a stream: when it came, by the clock that all processes share.
ARRIVAL = struct.Struct("=d")

READY = "ready"
OPENED = "opened"
FRAME = "frame"
SOUND_OPENED = "sound_opened"
SOUND = "sound"
PASSED = "passed"
ENDED = "ended"
FAILED = "failed"

# Why a clip is not read.
UNREADABLE = "unreadable"
NO_VIDEO = "no_video"
NO_SOUND = "no_sound"
NO_DECODER = "no_decoder"
NO_FRAMES = "no_frames"
TOO_LARGE = "too_large"
TOO_LONG = "too_long"
MEMORY = "memory"
LOST = "lost"
UNFORESEEN = "unforeseen"


def send(out: int, kind: str, payload: bytes = b"", /, **what: object) -> None:
    """Write a line, and what follows it."""
    data = json.dumps({"kind": kind, **what}, separators=(",", ":")).encode() + b"\n" + payload
    while data:
        data = data[os.write(out, data) :]
