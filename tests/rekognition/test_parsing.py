"""What the service model demands of a request, in AWS's words."""

import base64
import json
import re
import sys
import time
import unicodedata
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from likeness.rekognition.call import contract, contracts
from likeness.rekognition.documents import matches, parse
from likeness.rekognition.faults import AwsError

ID_PATTERN = r"[a-zA-Z0-9_.\-]+"


def read(operation: str, document: object) -> Any:
    wanted = contract(operation)
    assert wanted is not None
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    return parse(wanted, body)


def refusal(operation: str, document: object) -> str:
    with pytest.raises(AwsError) as caught:
        read(operation, document)
    assert caught.value.status == 400
    return str(caught.value)


def test_a_request_has_what_the_model_has_and_nothing_else() -> None:
    document = {
        "CollectionId": "staff",
        "Image": {"Bytes": base64.b64encode(b"picture").decode(), "Unknown": [1]},
        "FaceMatchThreshold": 90,
        "MaxFaces": 5.0,
        "QualityFilter": None,
        "Unknown": {"x": 1},
    }
    request = read("SearchFacesByImage", document)
    assert request == {
        "CollectionId": "staff",
        "Image": {"Bytes": b"picture"},
        "FaceMatchThreshold": 90.0,
        "MaxFaces": 5,
    }
    assert isinstance(request["FaceMatchThreshold"], float)
    assert isinstance(request["MaxFaces"], int)


def test_an_empty_page_token_is_accepted() -> None:
    assert read("ListCollections", {"NextToken": ""}) == {"NextToken": ""}


WRONG_VALUES = {
    "a missing member": (
        "CreateCollection",
        {},
        "1 validation error detected: Value null at 'collectionId' failed to satisfy constraint:"
        " Member must not be null",
    ),
    "null for a member": (
        "CreateCollection",
        {"CollectionId": None},
        "1 validation error detected: Value null at 'collectionId' failed to satisfy constraint:"
        " Member must not be null",
    ),
    "two errors of one value": (
        "CreateCollection",
        {"CollectionId": ""},
        "2 validation errors detected: Value '' at 'collectionId' failed to satisfy constraint:"
        " Member must have length greater than or equal to 1; Value '' at 'collectionId' failed to"
        f" satisfy constraint: Member must satisfy regular expression pattern: {ID_PATTERN}",
    ),
    "a pattern": (
        "CreateCollection",
        {"CollectionId": "a b"},
        "1 validation error detected: Value 'a b' at 'collectionId' failed to satisfy constraint:"
        f" Member must satisfy regular expression pattern: {ID_PATTERN}",
    ),
    "a line end after what matches": (
        "CreateCollection",
        {"CollectionId": "a\n"},
        "1 validation error detected: Value 'a\n' at 'collectionId' failed to satisfy constraint:"
        f" Member must satisfy regular expression pattern: {ID_PATTERN}",
    ),
    "a long value, which is cut": (
        "CreateCollection",
        {"CollectionId": "a" * 300},
        f"1 validation error detected: Value '{'a' * 256}...' at 'collectionId' failed to satisfy"
        " constraint: Member must have length less than or equal to 255",
    ),
    "a number too large": (
        "ListFaces",
        {"CollectionId": "a", "MaxResults": 5000},
        "1 validation error detected: Value '5000' at 'maxResults' failed to satisfy constraint:"
        " Member must have value less than or equal to 4096",
    ),
    "a number too small": (
        "SearchFaces",
        {
            "CollectionId": "a",
            "FaceId": "11111111-2222-3333-4444-555555555555",
            "FaceMatchThreshold": -0.5,
        },
        "1 validation error detected: Value '-0.5' at 'faceMatchThreshold' failed to satisfy"
        " constraint: Member must have value greater than or equal to 0",
    ),
    "an enum": (
        "IndexFaces",
        {"CollectionId": "a", "Image": {}, "QualityFilter": "SOME"},
        "1 validation error detected: Value 'SOME' at 'qualityFilter' failed to satisfy constraint:"
        " Member must satisfy enum value set: [NONE, AUTO, LOW, MEDIUM, HIGH]",
    ),
    "no bytes": (
        "DetectFaces",
        {"Image": {"Bytes": ""}},
        "1 validation error detected: Value 'java.nio.HeapByteBuffer[pos=0 lim=0 cap=0]' at"
        " 'image.bytes' failed to satisfy constraint: Member must have length greater than or equal"
        " to 1",
    ),
    "too many bytes": (
        "DetectFaces",
        {"Image": {"Bytes": base64.b64encode(bytes(5_242_881)).decode()}},
        "1 validation error detected: Value 'java.nio.HeapByteBuffer[pos=0 lim=5242881"
        " cap=5242881]' at 'image.bytes' failed to satisfy constraint: Member must have length less"
        " than or equal to 5242880",
    ),
    "an empty list": (
        "DeleteFaces",
        {"CollectionId": "a", "FaceIds": []},
        "1 validation error detected: Value '[]' at 'faceIds' failed to satisfy constraint: Member"
        " must have length greater than or equal to 1",
    ),
    "a member of a list": (
        "DeleteFaces",
        {"CollectionId": "a", "FaceIds": ["x"]},
        "1 validation error detected: Value '[x]' at 'faceIds' failed to satisfy constraint: Member"
        " must satisfy constraint: [Member must satisfy regular expression pattern:"
        " [0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}]",
    ),
    "null in a list": (
        "DeleteFaces",
        {"CollectionId": "a", "FaceIds": [None]},
        "1 validation error detected: Value '[null]' at 'faceIds' failed to satisfy constraint:"
        " Member must not be null",
    ),
    "a key of a map": (
        "CreateCollection",
        {"CollectionId": "a", "Tags": {"aws:x": "y"}},
        "1 validation error detected: Value '{aws:x=y}' at 'tags' failed to satisfy constraint: Map"
        " keys must satisfy constraint: [Member must have length less than or equal to 128, Member"
        " must have length greater than or equal to 1, Member must satisfy regular expression"
        r" pattern: ^(?!aws:)[\p{L}\p{Z}\p{N}_.:/=+\-@]*$]",
    ),
}


@pytest.mark.parametrize(
    ("operation", "document", "message"), WRONG_VALUES.values(), ids=list(WRONG_VALUES)
)
def test_wrong_values_are_said_as_aws_says_them(
    operation: str, document: object, message: str
) -> None:
    assert refusal(operation, document) == f"ValidationException: {message}"


UNREADABLE = {
    "no JSON": (b"{", "Request body is not well-formed JSON in UTF-8"),
    "no UTF-8": (b'{"CollectionId": "\xff"}', "Request body is not well-formed JSON in UTF-8"),
    "nothing": (b"", "Request body is not well-formed JSON in UTF-8"),
    "endless depth": (b"[" * 100_000, "Request body is not well-formed JSON in UTF-8"),
    "not a number": (b'{"MaxResults": NaN}', "Request body is not well-formed JSON in UTF-8"),
    "an infinite number": (
        b'{"MaxResults": 1e999}',
        "Request body is not well-formed JSON in UTF-8",
    ),
    "a list": (b"[]", "Start of structure or map expected"),
    "a number for a text": ({"CollectionId": 5}, "NUMBER_VALUE cannot be converted to String"),
    "a truth for a text": ({"CollectionId": True}, "TRUE_VALUE cannot be converted to String"),
    "a structure for a text": (
        {"CollectionId": {}},
        "Start of structure or map found where not expected.",
    ),
    "a list for a text": ({"CollectionId": []}, "Start of list found where not expected"),
    "half a surrogate pair": (
        {"CollectionId": "\ud800"},
        "Half of a surrogate pair cannot be converted to String",
    ),
    "a text for a number": ({"MaxResults": "5"}, "STRING_VALUE cannot be converted to Integer"),
    "a truth for a number": ({"MaxResults": True}, "TRUE_VALUE cannot be converted to Integer"),
    "half for a whole number": ({"MaxResults": 0.5}, "NUMBER_VALUE cannot be converted to Integer"),
    "more than 32 bits": ({"MaxResults": 2**31}, "NUMBER_VALUE cannot be converted to Integer"),
    "a text for a list": ({"FaceIds": "x"}, "Unexpected STRING_VALUE"),
}


@pytest.mark.parametrize(("document", "message"), UNREADABLE.values(), ids=list(UNREADABLE))
def test_what_cannot_be_read_is_said_as_aws_says_it(document: object, message: str) -> None:
    assert refusal("ListFaces", document) == f"SerializationException: {message}"


def test_a_number_beyond_a_double_cannot_be_read() -> None:
    document = {"CollectionId": "a", "FaceId": "x", "FaceMatchThreshold": 10**400}
    assert "cannot be converted to Float" in refusal("SearchFaces", document)


@pytest.mark.parametrize(
    "text", ["cGlj!dHVyZQ==", "cGljdHVyZQ", "cGljdHVyZQ=", "cGlj\ndHVyZQ==", "é"]
)
def test_base64_is_read_strictly(text: str) -> None:
    assert "Invalid Base64" in refusal("DetectFaces", {"Image": {"Bytes": text}})


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=10,
)
MEMBERS = sorted({name for op in contracts() if (c := contract(op)) for name in c.input.members})


# Slow it is where other work runs beside it, and that says nothing of what is read.
@pytest.mark.slow
@given(
    operation=st.sampled_from(sorted(contracts())),
    document=st.dictionaries(st.sampled_from(MEMBERS), json_values, max_size=6),
)
def test_whatever_comes_is_read_or_refused(operation: str, document: dict[str, Any]) -> None:
    wanted = contract(operation)
    assert wanted is not None
    try:
        request = parse(wanted, json.dumps(document).encode())
    except AwsError as error:
        assert error.code in ("SerializationException", "ValidationException")
    else:
        assert request.keys() <= document.keys()


def patterns() -> set[tuple[str, int]]:
    """Each pattern, and how long a value may be that it is tried on."""
    found: set[tuple[str, int]] = set()
    seen: set[str] = set()

    def walk(shape: Any) -> None:
        if shape.name in seen:
            return
        seen.add(shape.name)
        if "pattern" in shape.metadata:
            found.add((shape.metadata["pattern"], shape.metadata.get("max", 1 << 20)))
        for attribute in ("member", "key", "value"):
            if hasattr(shape, attribute):
                walk(getattr(shape, attribute))
        for member in getattr(shape, "members", {}).values():
            walk(member)

    for name in contracts():
        wanted = contract(name)
        assert wanted is not None
        walk(wanted.input)
    return found


@pytest.mark.parametrize(("pattern", "longest"), sorted(patterns()))
def test_no_pattern_takes_long(pattern: str, longest: int) -> None:
    began_s = time.process_time()
    for piece in ("a", "-", " ", "0", "a-", "arn:aws:sns:", "{", "."):
        matches(pattern, (piece * longest)[: longest - 1] + "\n")
    assert time.process_time() - began_s < 20  # the square of a million would take an hour


def test_letters_spaces_and_numbers_are_those_of_unicode() -> None:
    pattern = r"^([\p{L}\p{Z}\p{N}_.:/=+\-@]*)$"
    wrong = [
        character
        for character in map(chr, range(sys.maxunicode + 1))
        if matches(pattern, character)
        != (unicodedata.category(character)[0] in "LZN" or character in "_.:/=+-@")
    ]
    assert wrong == []


@pytest.mark.parametrize(
    ("pattern", "value", "expected"),
    [
        (r"\d+", "7", True),
        (r"\d+", "\u0667", False),
        (r".+", "a\u2028", False),
        (r".+", "a\u0085", False),
        (r"[.]+", "..", True),
        (r"[.]+", "a", False),
        (r"\.", "a", False),
        (r"^a$", "a\n", False),
        (r"a|b", "bc", False),
    ],
)
def test_patterns_mean_what_they_mean_in_java(pattern: str, value: str, expected: bool) -> None:
    assert matches(pattern, value) is expected
    assert re.compile(pattern)  # it is one of Python's, too
