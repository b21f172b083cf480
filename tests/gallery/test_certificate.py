"""What is taken for a certificate: what was issued, word by word."""

import json
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from likeness.errors import InvalidRequest
from likeness.gallery import ErasureCertificate
from likeness.gallery.certificate import Erased, Remainder

AT = datetime(2026, 1, 31, 12, tzinfo=UTC)
ISSUED = ErasureCertificate(
    UUID(int=1),
    UUID(int=2),
    Erased(False, (UUID(int=3),), (4,), (), (5, 6), 1, 2),
    AT,
    AT,
    ("rows",),
    ("backups",),
    (Remainder("a picture", AT, "others look at it"), Remainder("a mark", None, "imports")),
)


def test_a_certificate_is_read_as_it_was_issued() -> None:
    assert ErasureCertificate.from_json(json.loads(json.dumps(ISSUED.as_json()))) == ISSUED


def test_a_certificate_of_an_older_likeness_is_read_and_keeps_its_digest() -> None:
    older = {name: said for name, said in ISSUED.as_json().items() if name != "remainders"}
    read = ErasureCertificate.from_json({**older, "version": 1})
    assert read.as_json() == {**older, "version": 1}
    assert read.digest != ISSUED.digest


@pytest.mark.parametrize(
    "changed",
    [
        {"subject_name": "somebody else"},
        {"id": "{00000000-0000-0000-0000-000000000001}"},
        {"done": "rows"},
        {"version": 3},
        {"version": 1},
        {"remainders": [{"what": "a picture", "until": "soon", "why": "others look at it"}]},
        {"erased": {**ISSUED.erased.as_json(), "reference_numbers": [5.9, 6]}},
        {"erased": {**ISSUED.erased.as_json(), "reference_numbers": ["5", 6]}},
    ],
)
def test_a_certificate_that_says_more_or_otherwise_is_none(changed: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequest, match="Pass it as it was issued"):
        ErasureCertificate.from_json({**ISSUED.as_json(), **changed})
