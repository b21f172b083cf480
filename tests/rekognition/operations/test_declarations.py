"""Tags that start with `likeness:` declare what rules know, and nothing else."""

import json
from typing import Any

import pytest

from likeness.ledger import every_entry
from likeness.rekognition.backend import Backend
from tests.rekognition.operations.conftest import tag_as_before
from tests.rekognition.operations.refusals import refusal

ARN = "arn:aws:rekognition:eu-west-1:000000000000:collection/staff"
STAFF = {"CollectionId": "staff"}


def test_the_ledger_names_the_tags_that_rules_go_by_and_no_other(
    rekognition: Any, backend: Backend
) -> None:
    tagged = {"likeness:sector": "commerce", "likeness:live": "true", "team": "Jane Doe"}
    rekognition.tag_resource(ResourceArn=ARN, Tags=tagged)
    untagged = ["likeness:live", "likeness:Jane Doe", "team"]
    rekognition.untag_resource(ResourceArn=ARN, TagKeys=untagged)
    rekognition.untag_resource(ResourceArn=ARN, TagKeys=["team"])
    rekognition.create_collection(CollectionId="guests", Tags=tagged)
    entries = backend.database.read(lambda c: list(map(json.loads, every_entry(c))))[-4:]
    assert [(one["operation"], one["action"], one.get("details")) for one in entries] == [
        ("TagResource", "govern", {"tagged": "likeness:live likeness:sector"}),
        ("UntagResource", "govern", {"untagged": "likeness:live"}),
        ("UntagResource", "arrange", None),
        ("CreateCollection", "govern", {"tagged": "likeness:live likeness:sector"}),
    ]
    assert "Jane" not in str(entries)


UNKNOWN = {
    "a fact that there is none of": (
        {"likeness:nonsense": "anything"},
        "Choose among likeness:sector, likeness:jurisdiction, likeness:purpose",
    ),
    "a misspelt fact": ({"likeness:notise": "shown"}, "the nearest is 'likeness:notice'"),
    "a fact in capitals": ({"Likeness:Sector": "police"}, "the nearest is 'likeness:sector'"),
    "a misspelt sector": ({"likeness:sector": "polce"}, "the nearest is 'police'"),
    "a misspelt place": ({"likeness:jurisdiction": "us-wa"}, "the nearest is 'US-WA'"),
    "an unknown purpose": ({"likeness:purpose": "fishing"}, "docs/policy.md lists them all"),
    "an unknown origin": ({"likeness:footage": "body-cam"}, "the nearest is 'body-camera'"),
    "words about a notice": (
        {"likeness:notice": "poster at the door told Jane Doe"},
        "Choose among undeclared, shown",
    ),
    "perhaps live": ({"likeness:live": "perhaps"}, "Choose among true, false"),
}


@pytest.mark.parametrize(("tags", "message"), UNKNOWN.values(), ids=list(UNKNOWN))
def test_what_rules_do_not_know_cannot_be_declared(
    rekognition: Any, backend: Backend, tags: dict[str, str], message: str
) -> None:
    for act, request in (
        (rekognition.tag_resource, {"ResourceArn": ARN}),
        (rekognition.create_collection, {"CollectionId": "guests"}),
    ):
        code, said = refusal(act, **request, Tags={**tags, "team": "door"})
        assert (code, message in said) == ("InvalidParameterException", True), said
    assert rekognition.list_tags_for_resource(ResourceArn=ARN)["Tags"] == {}
    assert [one.name for one in backend.gallery.collections()] == ["staff"]
    entries = backend.database.read(lambda c: list(map(json.loads, every_entry(c))))
    tried = [one for one in entries if one["operation"] in ("TagResource", "CreateCollection")][-2:]
    assert [(one["kind"], one["action"]) for one in tried] == [
        ("failed", "govern" if key.startswith("likeness:") else "arrange") for key in tags
    ] * 2
    assert not [value for value in tags.values() if f'"{value}"' in json.dumps(tried)]


def test_no_entry_holds_what_a_tag_says_in_words_of_its_own(
    rekognition: Any, backend: Backend
) -> None:
    said = ("sector", "jurisdiction", "purpose", "footage", "notice")
    tag_as_before(backend, {f"likeness:{fact}": "told Jane Doe" for fact in said})
    code, why = refusal(rekognition.list_faces, **STAFF)
    assert code == "AccessDeniedException"
    for rule in ("unknown-sector", "unknown-jurisdiction", "unknown-purpose"):
        assert rule in why
    rekognition.tag_resource(ResourceArn=ARN, Tags={"likeness:sector": "media"})
    rekognition.untag_resource(
        ResourceArn=ARN, TagKeys=["likeness:jurisdiction", "likeness:purpose"]
    )
    code, why = refusal(rekognition.list_faces, **STAFF)
    assert (code, "footage-unknown" in why) == ("AccessDeniedException", True)
    rekognition.untag_resource(ResourceArn=ARN, TagKeys=["likeness:footage"])
    rekognition.list_faces(**STAFF)
    entries = backend.database.read(lambda c: list(map(json.loads, every_entry(c))))[-6:]
    assert [one["collection"]["notice"] for one in entries] == ["unknown"] * 6
    assert entries[0]["collection"] | dict.fromkeys(said, "unknown") == entries[0]["collection"]
    assert "Jane" not in str(entries)
