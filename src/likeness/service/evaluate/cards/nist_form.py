"""The form into which an operator copies what NIST published of an algorithm.

NIST's tests of face recognition (FRTE, formerly FRVT) publish tables without signatures. The form
says what was copied, from where, by whom, and why the model here is the algorithm that was tested:

    algorithm = "vendor-007"
    model = "NAME"                       # as `likeness models show` prints it
    same_because = "Delivered by the vendor under this name on 3 May 2026, contract 17."
    test = "FRTE 1:1"                    # or FRTE 1:N
    measure = "FNMR"                     # or FNIR
    at = "FMR 1e-5"
    dataset = "Visa and border photographs"
    title = "Report card of vendor-007"
    url = "https://pages.nist.gov/frvt/reportcards/11/vendor_007.html"
    published = 2026-05-03
    copied_by = "Jane Doe, quality manager"

    [groups]                             # every group that NIST lists, as shares of one
    "women, West Africa" = 0.0123
    "men, West Africa" = 0.0098
"""

import tomllib
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from typing import Any
from urllib.parse import urlsplit

from likeness.errors import InvalidRequest
from likeness.service.evaluate.cards.card import NistFigures

LARGEST_DOCUMENT = 100_000_000

_TEXTS = (
    "algorithm",
    "model",
    "same_because",
    "test",
    "measure",
    "at",
    "dataset",
    "title",
    "url",
    "copied_by",
)
_TESTS = {"FRTE 1:1": "FNMR", "FRTE 1:N": "FNIR"}
_LONGEST_TEXT = 300
_NIST = "nist.gov"


def read_form(text: str, where: str, document: bytes, today: date) -> NistFigures:
    """Read a form; `document` is the publication that was copied from, `where` names the form.

    Raises:
        InvalidRequest: something is missing, unknown, or cannot be.
    """
    try:
        form = tomllib.loads(text, parse_float=Decimal)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise InvalidRequest(f"The form {where} is not TOML ({error}). Correct it.") from error
    _require_names(form, where)
    for name in _TEXTS:
        _require_line(form[name], name, where)
    if _TESTS.get(form["test"]) != form["measure"]:
        raise InvalidRequest(
            f"The form {where} has the test {form['test']!r} with the measure {form['measure']!r}."
            " Give FRTE 1:1 with FNMR, or FRTE 1:N with FNIR."
        )
    _require_of_nist(form["url"], where)
    published = form["published"]
    if not isinstance(published, date) or isinstance(published, datetime) or published > today:
        raise InvalidRequest(
            f"The form {where} has no day until today in `published`. Give the day of NIST's"
            " publication, such as 2026-05-03."
        )
    if not document:
        raise InvalidRequest("The document is empty. Name the file that figures were copied from.")
    try:
        return NistFigures(
            **{name: form[name] for name in _TEXTS},
            published=published,
            document=sha256(document).hexdigest(),
            groups=_groups(form["groups"], where),
        )
    except ValueError as error:
        raise InvalidRequest(f"The groups of the form {where} cannot be: {error}.") from error


def counts_until(figures: NistFigures) -> date:
    """Say from which day on figures are too old to count: a year after they were published."""
    # The last day that there is has none a year after it.
    published = min(figures.published, date.max - timedelta(days=366))
    try:
        return published.replace(year=published.year + 1)
    except ValueError:  # the 29th of February
        return published + timedelta(days=366)


def _require_names(form: Mapping[str, Any], where: str) -> None:
    wanted = {*_TEXTS, "published", "groups"}
    if missing := sorted(wanted - form.keys()):
        raise InvalidRequest(
            f"The form {where} lacks {', '.join(missing)}. docs/policy.md shows one."
        )
    if unknown := sorted(form.keys() - wanted):
        raise InvalidRequest(
            f"The form {where} has what no form has: {', '.join(unknown)[:200]}. Take it out."
        )


def _require_line(text: object, name: str, where: str) -> None:
    right = isinstance(text, str) and bool(text.strip()) and text.isprintable()
    if not right or len(str(text)) > _LONGEST_TEXT:
        raise InvalidRequest(
            f"`{name}` of the form {where} is not one line of text. Give at most {_LONGEST_TEXT}"
            " characters."
        )


def _require_of_nist(url: str, where: str) -> None:
    try:
        split = urlsplit(url)
        host = split.hostname or ""
    except ValueError:
        split, host = urlsplit(""), ""
    if split.scheme != "https" or not (host == _NIST or host.endswith(f".{_NIST}")):
        raise InvalidRequest(
            f"The form {where} does not name a page of NIST's in `url`. Give the https address at"
            f" {_NIST} where the figures are published."
        )


def _groups(groups: object, where: str) -> dict[str, Decimal]:
    if not isinstance(groups, dict):
        raise InvalidRequest(
            f"`groups` of the form {where} is no table. Give a line for every group, such as"
            ' "women, West Africa" = 0.0123.'
        )
    read = {}
    for name, rate in groups.items():
        _require_line(name, "groups", where)
        if isinstance(rate, bool) or not isinstance(rate, int | Decimal):
            raise InvalidRequest(
                f"The rate of {name!r} in the form {where} is no number. Give a share of one, such"
                " as 0.0123."
            )
        read[name] = Decimal(rate)
    return read
