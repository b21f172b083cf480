"""What the tags of a stream processor state of each search that is started of it."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from unicodedata import normalize

from likeness.errors import Conflict, InvalidRequest
from likeness.gallery import MOST_TAGS
from likeness.policy import nearest
from likeness.terms import LiveStatement, checked_text

_PREFIX = "likeness:"
_PLACE, _AUTHORITY = _PREFIX + "place", _PREFIX + "authority"
_CRITERIA, _HOURS = _PREFIX + "criteria", _PREFIX + "hours"
STATING_TAGS = (_PLACE, _AUTHORITY, _CRITERIA, _HOURS)
"""Tags that state something of each search that is started of a processor."""

_LONGEST_KEY, _LONGEST_VALUE = 128, 256
_MOST_HOURS = 366 * 24


class TooManyProcessorTags(Conflict):
    """A stream processor would have more tags than it can."""


def require_kept(tags: Mapping[str, str]) -> None:
    """Refuse tags that cannot be kept, or that state what no search takes.

    Raises:
        TooManyProcessorTags: there are more than a processor can have.
        InvalidRequest: a tag cannot be kept, or states what no search takes.
    """
    if len(tags) > MOST_TAGS:
        raise TooManyProcessorTags(
            f"{len(tags)} tags: a stream processor has {MOST_TAGS} at most. Leave some out."
        )
    for key, value in tags.items():
        checked_text(key, "A tag's key", longest=_LONGEST_KEY)
        checked_text(value, "A tag's value", shortest=0, longest=_LONGEST_VALUE)
        # However it is spelt: whoever tags `Likeness:Place` means to state something.
        spelt = normalize("NFKC", key).strip().casefold()
        if spelt.startswith(_PREFIX) and key not in STATING_TAGS:
            raise InvalidRequest(
                f"No search goes by the tag {key!r} of a stream processor"
                f"{nearest(key, STATING_TAGS)}. Choose among {', '.join(STATING_TAGS)}."
            )
    live_statement(None, tags, datetime.now(UTC))


def stating(tags: Mapping[str, str]) -> dict[str, str]:
    """Give the tags that state something of each search."""
    return {key: value for key, value in tags.items() if key in STATING_TAGS}


def live_statement(
    stated: LiveStatement | None, tags: Mapping[str, str], now: datetime
) -> LiveStatement:
    """Say what is stated of a search that starts now: by whoever starts it, else by tags.

    Raises:
        InvalidRequest: a tag states what no search takes.
    """
    said = stated or LiveStatement()
    return LiveStatement(
        said.place or tags.get(_PLACE),
        said.authority or tags.get(_AUTHORITY),
        said.criteria or tags.get(_CRITERIA),
        said.ends_at or (now + _period(tags[_HOURS]) if _HOURS in tags else None),
    )


def _period(hours: str) -> timedelta:
    try:
        number = float(hours)
    except ValueError:
        number = 0.0
    if not 0 < number <= _MOST_HOURS:
        raise InvalidRequest(
            f"The tag {_HOURS} is no number of hours above 0 and up to {_MOST_HOURS}. Give one such"
            " as 8."
        )
    return timedelta(hours=number)
