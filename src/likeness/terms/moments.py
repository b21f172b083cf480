"""Moments of a clip, as people write and read them."""

import re

from likeness.errors import InvalidRequest

_SECONDS = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s?s?")
_CLOCK = re.compile(r"(?:([0-9]+):)?([0-9]{1,2}):([0-9]{1,2}(?:\.[0-9]+)?)")
_MINUTE_S = 60
_HOUR_S = 3600


def moment(text: str) -> float:
    """Read seconds (`90`, `0.2s`) or a clock (`1:30`, `1:02:03.5`); gives seconds.

    Raises:
        InvalidRequest: it is neither.
    """
    given = text.strip()
    if found := _SECONDS.fullmatch(given):
        return float(found[1])
    if found := _CLOCK.fullmatch(given):
        hours, minutes, seconds = int(found[1] or 0), int(found[2]), float(found[3])
        if minutes < _MINUTE_S and seconds < _MINUTE_S:
            return hours * _HOUR_S + minutes * _MINUTE_S + seconds
    raise InvalidRequest(
        f"{text!r} is no time of a clip. Give seconds (90, 0.2s), or minutes and seconds (1:30,"
        " 1:02:03.5)."
    )


def clock(time_s: float) -> str:
    """Write a moment as `01:02.5`, from an hour on as `1:01:02.5`; `moment` reads both."""
    tenths = round(10 * time_s)
    minutes, tenths = divmod(tenths, 10 * _MINUTE_S)
    hours, minutes = divmod(minutes, _MINUTE_S)
    seconds = f"{minutes:02}:{tenths // 10:02}.{tenths % 10}"
    return f"{hours}:{seconds}" if hours else seconds
