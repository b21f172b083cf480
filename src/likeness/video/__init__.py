"""What happens over time: frames in, who is followed through them, frames out.

It takes what finds faces as an argument (`FrameFinder`), and knows no model, no row and no act.
"""

from likeness.video.clip import Clip, ClipLimits, Frame, Sampling
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

__all__ = [
    "Clip",
    "ClipLimits",
    "Ending",
    "Frame",
    "FrameFinder",
    "Interval",
    "Look",
    "Person",
    "Sampling",
    "Segment",
    "Shot",
    "Track",
]
