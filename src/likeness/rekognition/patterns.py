"""What do the service model's patterns match? They are Java's; here they become Python's.

A value has to match as a whole, as in Java's `matches`, and be no longer than the model allows. A
test tries every pattern with values that make patterns backtrack.
"""

import re
from functools import cache

_CATEGORIES = {
    r"\p{L}\p{Z}\p{N}": r"\w\u0020\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000",
}
_NO_LINE_END = r"[^\n\r\u0085\u2028\u2029]"
_TOKEN = re.compile(r"\\.|\[(?:\\.|[^\]\\])*\]|\.", re.DOTALL)


def matches(pattern: str, value: str) -> bool:
    """Say whether a value is as a pattern of the model asks."""
    return _compiled(pattern).fullmatch(value) is not None


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    translated = pattern
    for java, python in _CATEGORIES.items():
        translated = translated.replace(java, python)
    # Java's dot stops at more line ends than Python's; its \d, \s and \w know ASCII alone.
    translated = _TOKEN.sub(lambda token: _NO_LINE_END if token[0] == "." else token[0], translated)
    return re.compile(translated, re.ASCII if translated == pattern or r"\p" not in pattern else 0)
