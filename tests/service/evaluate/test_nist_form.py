"""The form for NIST's figures takes what NIST publishes, and nothing half said."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from hashlib import sha256

import pytest

from likeness.errors import InvalidRequest
from likeness.service.evaluate.cards.card import NistFigures
from likeness.service.evaluate.cards.nist_form import counts_until, read_form

FORM = """
algorithm = "vendor-007"
model = "NAME"
same_because = "Delivered by the vendor under this name on 3 May 2026, contract 17."
test = "FRTE 1:1"
measure = "FNMR"
at = "FMR 1e-5"
dataset = "Visa and border photographs"
title = "Report card of vendor-007"
url = "https://pages.nist.gov/frvt/reportcards/11/vendor_007.html"
published = 2026-05-03
copied_by = "Jane Doe, quality manager"

[groups]
"women, West Africa" = 0.0123
"men, West Africa" = 0.0098
"""


def read(text: str = FORM, document: bytes = b"a page", today: str = "2026-06-01") -> NistFigures:
    return read_form(text, "'form.toml'", document, date.fromisoformat(today))


def test_a_form_says_what_was_copied_from_what() -> None:
    figures = read()
    assert figures.groups["women, West Africa"] == Decimal("0.0123")
    assert figures.least_true_positives == Decimal("98.77")
    assert figures.document == sha256(b"a page").hexdigest()
    assert figures.published == date(2026, 5, 3)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("[groups]", "[groups", "not TOML"),
        ('algorithm = "vendor-007"\n', "", "lacks algorithm"),
        ("[groups]", "[more]\n[groups]", "no form has: more"),
        ('at = "FMR 1e-5"', 'at = ""', "`at` of the form"),
        ('at = "FMR 1e-5"', "at = 5", "`at` of the form"),
        ("Jane Doe", "Jane\\nDoe", "`copied_by` of the form"),
        ("Jane Doe", "J" * 300, "`copied_by` of the form"),
        ('"FNMR"', '"FNIR"', "Give FRTE 1:1 with FNMR"),
        ('"FRTE 1:1"', '"our own"', "Give FRTE 1:1 with FNMR"),
        ("https://pages.nist.gov", "http://pages.nist.gov", "page of NIST's"),
        ("https://pages.nist.gov", "https://nist.gov.example.org", "page of NIST's"),
        ("https://pages.nist.gov", "https://examplenist.gov", "page of NIST's"),
        ("https://pages.nist.gov", "https://[", "page of NIST's"),
        ("2026-05-03", "2026-06-02", "no day until today"),
        ("2026-05-03", '"2026-05-03"', "no day until today"),
        ("2026-05-03", "2026-05-03T00:00:00Z", "no day until today"),
        ('"men, West Africa" = 0.0098', "", "fewer than two groups"),
        ("0.0123", "1.23", "no share between 0 and 1"),
        ("0.0123", "-0.0123", "no share between 0 and 1"),
        ("0.0123", "nan", "no share between 0 and 1"),
        ("0.0123", "true", "is no number"),
        ("0.0123", '"0.0123"', "is no number"),
        ("[groups]", "groups = 5\n[other]", "no form has: other"),
    ],
)
def test_what_cannot_be_is_refused(old: str, new: str, says: str) -> None:
    assert old in FORM
    with pytest.raises(InvalidRequest, match=says):
        read(FORM.replace(old, new, 1))


def test_an_empty_document_is_none() -> None:
    with pytest.raises(InvalidRequest, match="document is empty"):
        read(document=b"")


@pytest.mark.parametrize(
    ("published", "until"),
    [("2026-05-03", "2027-05-03"), ("2024-02-29", "2025-03-01"), ("2023-03-01", "2024-03-01")],
)
def test_figures_count_for_a_year(published: str, until: str) -> None:
    figures = read(FORM.replace("2026-05-03", published))
    assert counts_until(figures) == date.fromisoformat(until)


def test_figures_of_the_last_day_that_there_is_end() -> None:
    assert counts_until(replace(read(FORM), published=date.max)) > date(9999, 1, 1)
