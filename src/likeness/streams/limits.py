"""What a source may take of us."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedLimits:
    """How long a source is waited for, and how much it may say.

    `begin_s` is for all steps until it sends, `silence_s` for each wait after that. Heads and
    descriptions are text; `part_bytes` bounds what has to be held whole, such as a segment of HLS.
    """

    begin_s: float = 15.0
    silence_s: float = 15.0
    line_bytes: int = 8 << 10
    headers: int = 64
    description_bytes: int = 64 << 10
    playlist_bytes: int = 1 << 20
    part_bytes: int = 64 << 20
