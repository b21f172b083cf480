"""What happens over time: frames in, who is followed through them, frames out.

It takes what finds faces as an argument (`FrameFinder`), and knows no model, no row and no act.
"""

from likeness.video.clip import Clip, ClipLimits, Frame, Sampling
from likeness.video.following import Following, follow
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

__all__ = [
    "Clip",
    "ClipLimits",
    "Ending",
    "Following",
    "Frame",
    "FrameFinder",
    "Interval",
    "Look",
    "Person",
    "Sampling",
    "Segment",
    "Shot",
    "Track",
    "follow",
    "pack_tracks",
    "people_of",
    "unpack_tracks",
]
