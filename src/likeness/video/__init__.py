"""What happens over time: frames in, who is followed through them, frames out.

It takes what finds faces as an argument (`FrameFinder`), and knows no model, no row and no act.
"""

from likeness.video.clip import Clip, ClipLimits, Form, Frame, Sampling
from likeness.video.feed import Connect, Feed
from likeness.video.following import LOOK_EVERY_S, Following, follow
from likeness.video.hidden import (
    LIKELY_A_FACE,
    ONE_FACE,
    SURELY_A_FACE,
    Hidden,
    HiddenTrack,
    Holding,
    Moment,
    NamedTrack,
    Plan,
    Reason,
    Shown,
    Sight,
)
from likeness.video.hiding import Hiding, Region, Style
from likeness.video.kinds import looks_like_clip, name_of_kind
from likeness.video.live_following import EndedFace, LiveFollower, Seen, SeenFace
from likeness.video.live_stream import (
    LiveFrame,
    LiveStream,
    PacedFile,
    StreamState,
    StreamStatus,
)
from likeness.video.looks import (
    Ending,
    FrameFinder,
    Interval,
    Look,
    Person,
    Segment,
    Shot,
    Track,
)
from likeness.video.packing import pack_tracks, unpack_tracks
from likeness.video.people import people_of
from likeness.video.planes import Planes
from likeness.video.reader import ClipReader, Damage, Version, clip_of, reading, version_of
from likeness.video.rewriting import Edit, Rewritten, rewrite
from likeness.video.shares import FairLane
from likeness.video.shots import MOST_SHOTS, best_of, goodness_of
from likeness.video.stream_reader import StreamLimits
from likeness.video.writing import ClipWriter

__all__ = [
    "LIKELY_A_FACE",
    "LOOK_EVERY_S",
    "MOST_SHOTS",
    "ONE_FACE",
    "SURELY_A_FACE",
    "Clip",
    "ClipLimits",
    "ClipReader",
    "ClipWriter",
    "Connect",
    "Damage",
    "Edit",
    "EndedFace",
    "Ending",
    "FairLane",
    "Feed",
    "Following",
    "Form",
    "Frame",
    "FrameFinder",
    "Hidden",
    "HiddenTrack",
    "Hiding",
    "Holding",
    "Interval",
    "LiveFollower",
    "LiveFrame",
    "LiveStream",
    "Look",
    "Moment",
    "NamedTrack",
    "PacedFile",
    "Person",
    "Plan",
    "Planes",
    "Reason",
    "Region",
    "Rewritten",
    "Sampling",
    "Seen",
    "SeenFace",
    "Segment",
    "Shot",
    "Shown",
    "Sight",
    "StreamLimits",
    "StreamState",
    "StreamStatus",
    "Style",
    "Track",
    "Version",
    "best_of",
    "clip_of",
    "follow",
    "goodness_of",
    "looks_like_clip",
    "name_of_kind",
    "pack_tracks",
    "people_of",
    "reading",
    "rewrite",
    "unpack_tracks",
    "version_of",
]
