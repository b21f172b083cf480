"""Page tokens: for one list and one caller, and for a day."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any

import pytest

from likeness.rekognition.backend import Backend
from likeness.terms import Principal, Role
from tests.gallery.galleries import Clock
from tests.rekognition.operations.conftest import serving
from tests.rekognition.operations.refusals import refusal

BAD = ("InvalidPaginationTokenException", "Invalid Pagination Token")
STAFF = {"CollectionId": "staff"}


@pytest.fixture
def token(rekognition: Any) -> str:
    """A token of the users in `staff`."""
    for name in ("Rosa", "Ruth"):
        rekognition.create_user(**STAFF, UserId=name)
    return str(rekognition.list_users(**STAFF, MaxResults=1)["NextToken"])


def test_a_token_goes_on_where_the_page_ended(rekognition: Any, token: str) -> None:
    assert len(token) <= 255
    for size in (1, 500):
        page = rekognition.list_users(**STAFF, NextToken=token, MaxResults=size)
        assert [user["UserId"] for user in page["Users"]] == ["Ruth"]


def test_an_empty_token_asks_for_the_first_page(rekognition: Any, token: str) -> None:
    assert token
    page = rekognition.list_users(**STAFF, NextToken="", MaxResults=1)
    assert [user["UserId"] for user in page["Users"]] == ["Rosa"]


def test_a_token_that_is_none_of_ours_is_refused(rekognition: Any, token: str) -> None:
    sealed = bytearray(urlsafe_b64decode(token))
    sealed[-1] ^= 1
    for bad in ("x", "ü", token[:-8], urlsafe_b64encode(sealed).decode(), "AAAA" * 60):
        assert refusal(rekognition.list_users, **STAFF, NextToken=bad) == BAD


def test_a_token_of_another_list_is_refused(rekognition: Any, token: str) -> None:
    rekognition.create_collection(CollectionId="guests")
    assert refusal(rekognition.list_users, CollectionId="guests", NextToken=token) == BAD
    assert refusal(rekognition.list_faces, **STAFF, NextToken=token) == BAD
    assert refusal(rekognition.list_collections, NextToken=token) == BAD
    first = rekognition.list_collections(MaxResults=1)["NextToken"]
    assert refusal(rekognition.list_users, **STAFF, NextToken=first) == BAD


def test_a_token_does_not_outlive_its_collection(rekognition: Any, token: str) -> None:
    rekognition.delete_collection(**STAFF)
    rekognition.create_collection(**STAFF)
    assert refusal(rekognition.list_users, **STAFF, NextToken=token) == BAD


def test_a_token_of_another_caller_is_refused(
    rekognition: Any, token: str, backend: Backend
) -> None:
    with serving(backend, Principal("key:another", Role.ADMIN)) as other:
        assert refusal(other.list_users, **STAFF, NextToken=token) == BAD
    assert rekognition.list_users(**STAFF, NextToken=token)["Users"]


def test_a_bad_token_tells_nobody_that_a_collection_exists(
    rekognition: Any, backend: Backend
) -> None:
    with serving(backend, Principal("key:auditor", Role.AUDITOR)) as auditor:
        for operation in (auditor.list_users, auditor.list_faces):
            told = [
                refusal(operation, CollectionId=one, NextToken="AAAA") for one in ("staff", "none")
            ]
            assert told[0] == told[1]
            assert told[0][0] == "AccessDeniedException"


def test_a_token_expires_after_a_day(rekognition: Any, token: str, clock: Clock) -> None:
    clock.pass_days(0.99)
    assert rekognition.list_users(**STAFF, NextToken=token)["Users"]
    clock.pass_days(0.02)
    assert refusal(rekognition.list_users, **STAFF, NextToken=token) == BAD
