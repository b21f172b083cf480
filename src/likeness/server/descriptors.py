"""How many descriptors this process may have open, and how many of them connections may take.

A connection is a descriptor, and so is every file of the home, every picture read from a bucket and
every pipe to a decoder of video. A server whose connections took the last one could neither answer
nor record anything. So connections have what is free when the server begins, without a reserve.
"""

import resource
from pathlib import Path

from likeness.errors import InvalidRequest

_RESERVE = 256
_ENOUGH = 65_536  # beyond it, walking over all that could be open costs other programs time
_FEWEST = 16
_OPEN = (Path("/proc/self/fd"), Path("/dev/fd"))


def raise_limit() -> int:
    """Raise the limit as far as this process may, and give it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _ENOUGH if hard == resource.RLIM_INFINITY else min(hard, _ENOUGH)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return _ENOUGH if soft == resource.RLIM_INFINITY else soft
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    except (OSError, ValueError):  # some systems have a lower limit than they say
        return soft
    return wanted


def descriptors_for_connections() -> int:
    """Give how many descriptors connections may take: what is free, without the reserve.

    Raises:
        InvalidRequest: too few are free to serve anybody.
    """
    limit = raise_limit()
    free = limit - next((len(list(folder.iterdir())) for folder in _OPEN if folder.is_dir()), 64)
    for_connections = free - min(_RESERVE, free // 2)
    if for_connections < _FEWEST:
        raise InvalidRequest(
            f"This process may open only {limit} files and connections, and {limit - free} are open"
            " already. Raise the limit (`ulimit -n 1024`)."
        )
    return for_connections
