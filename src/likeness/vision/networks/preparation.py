"""What a network was trained to expect of its pixels."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Preparation:
    """How a network wants its pixels: (value - mean) / scale, channels in the order given.

    `mean` is in the network's own channel order, `channels` is "RGB" or "BGR".
    """

    mean: tuple[float, float, float] = (0.0, 0.0, 0.0)
    scale: float = 1.0
    channels: str = "RGB"
