"""What addresses and forms of pages of collections say: ids, places in lists, numbers of days."""

from collections.abc import Sequence
from uuid import UUID

from likeness.console.visit import Visit
from likeness.errors import InvalidRequest, NotFound

_NUMBERS_END = 2**63


def after_number(visit: Visit) -> int:
    """Say after which number a list begins, by the address.

    Raises:
        InvalidRequest: it is no number.
    """
    return place_in_list(visit, visit.query.get("after", ""))


def place_in_list(visit: Visit, given: str) -> int:
    """Read the number behind which a list goes on; nothing is its beginning.

    Raises:
        InvalidRequest: it is no number.
    """
    given = given or "0"
    if not (given.isascii() and given.isdecimal() and len(given) < 20):
        raise InvalidRequest(visit.t("collections.no_place"))
    return min(int(given), _NUMBERS_END - 1)


def id_in_path(visit: Visit, name: str) -> UUID:
    """Give an id of the address.

    Raises:
        NotFound: it is none.
    """
    try:
        return UUID(visit.params[name])
    except ValueError as error:
        raise NotFound(visit.t("collections.nothing_here")) from error


def ids_sent(visit: Visit, name: str) -> Sequence[UUID]:
    """Give the ids of boxes that were ticked, or else those that `with_ids` put into the address.

    Raises:
        InvalidRequest: one is no id.
    """
    asked = [one for one in visit.query.get(name, "").split(",") if one]
    try:
        return list(dict.fromkeys(UUID(one) for one in visit.form.all(name) or asked))
    except ValueError as error:
        raise InvalidRequest(visit.t("collections.choice_unread")) from error


def with_ids(path: str, **ids: Sequence[UUID]) -> str:
    """Give the address of a page that asks about what was chosen: people may come back to it."""
    asked = [f"{name}={','.join(map(str, some))}" for name, some in ids.items() if some]
    return f"{path}?{'&'.join(asked)}" if asked else path


def days_sent(visit: Visit, name: str) -> int | None:
    """Give a number of days, None where the field is empty.

    Raises:
        InvalidRequest: it is no number.
    """
    given = visit.form.text(name)
    if not given:
        return None
    if not (given.isascii() and given.isdecimal() and len(given) < 10):
        raise InvalidRequest(visit.t("collections.no_days"))
    return int(given)
