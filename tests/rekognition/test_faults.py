"""Every error of ours has a name of AWS's."""

from collections.abc import Iterator

import pytest

from likeness import errors
from likeness.errors import Fault, LikenessError, NotFound
from likeness.rekognition.faults import ANYWHERE, CODES, TEXTS, in_aws_words
from likeness.server.errors import RequestError

WORDS = "what was expected"
FAMILIES = {errors.LikenessError, errors.InputError, errors.StateError, errors.Refused}


def tree(root: type[LikenessError] = LikenessError) -> Iterator[type[LikenessError]]:
    yield root
    for kind in root.__subclasses__():
        yield from tree(kind)


OURS = [
    kind
    for kind in tree()
    if kind.__module__ == "likeness.errors" and kind not in FAMILIES and kind is not Fault
]


@pytest.mark.parametrize("kind", OURS, ids=lambda kind: kind.__name__)
def test_every_error_of_ours_has_a_name(kind: type[LikenessError]) -> None:
    error = in_aws_words(kind(WORDS), frozenset(CODES.values()))
    if kind is errors.TooBusy:
        assert (error.code, error.status) == ("ProvisionedThroughputExceededException", 400)
        assert WORDS not in error.message
    elif issubclass(kind, Fault):
        assert (error.code, error.status) == ("InternalServerError", 500)
        assert kind.__name__ in error.message
        assert WORDS not in error.message
    else:
        known = next(CODES[ancestor] for ancestor in kind.__mro__ if ancestor in CODES)  # type: ignore[index]  # filtered
        said = next((TEXTS[one] for one in kind.__mro__ if one in TEXTS), "{}").format(WORDS)  # type: ignore[index]  # as above
        assert (error.code, error.message, error.status) == (known, said, 400)


def test_a_name_that_an_operation_does_not_list_becomes_one_that_it_does() -> None:
    assert in_aws_words(NotFound("x"), frozenset()).code == ANYWHERE
    listed = frozenset({"ResourceNotFoundException"})
    assert in_aws_words(NotFound("x"), listed).code == "ResourceNotFoundException"


def test_a_refusal_is_listed_everywhere() -> None:
    assert in_aws_words(errors.Denied("rule x"), frozenset()).code == "AccessDeniedException"


def kinds_of_requests(root: type[RequestError] = RequestError) -> Iterator[type[RequestError]]:
    for kind in root.__subclasses__():
        yield kind
        yield from kinds_of_requests(kind)


@pytest.mark.parametrize("kind", [*kinds_of_requests()], ids=lambda kind: kind.__name__)
def test_what_keeps_a_request_from_being_answered_has_a_name_or_is_our_fault(
    kind: type[RequestError],
) -> None:
    error = in_aws_words(kind(WORDS))
    assert WORDS in error.message
    ours = {"KeysUnavailable", "Stopped", "TooLate", "Unauthenticated"}
    assert (error.status == 500) == (kind.__name__ in ours)
