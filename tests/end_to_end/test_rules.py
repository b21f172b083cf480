"""Rules that run: what an unmodified client is refused, by which rule, and how soon."""

from base64 import b64encode
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError

from tests.rekognition.operations.discs import GREEN, RED, Colour, disc

from .conftest import THORN, Served, people, refused, search, soon

POLICE = ("--sector", "police", "--jurisdiction", "US-WA", "--purpose", "missing-persons")


def test_police_are_refused_with_the_rule_and_its_source(
    serve: Callable[..., Served],
) -> None:
    server = serve()
    people(server, RED)
    said = refused(lambda: search(server.key("pd", *POLICE), disc(RED)))
    assert "amazon-2020-police" in said
    assert "Amazon, statement of 10 June 2020" in said


def test_a_listed_organisation_may_search_for_missing_children(
    serve: Callable[..., Served],
) -> None:
    server = serve()
    people(server, RED, GREEN)
    thorn = server.key(
        "desk", *THORN, "--purpose", "exploited-children", "--purpose", "criminal-investigation"
    )
    (match,) = search(thorn, disc(RED))["FaceMatches"]
    assert match["Face"]["ExternalImageId"] == "p0"
    said = refused(lambda: search(thorn, disc(RED), X_Likeness_Purpose="criminal-investigation"))
    assert "amazon-2020-police" in said


def test_nobody_learns_which_collections_there_are_but_who_may_and_on_record(
    serve: Callable[..., Served],
) -> None:
    server = serve()
    people(server, RED)
    auditor = server.key("books", "--role", "auditor").rekognition()
    for name in ("c", "none-of-that-name"):
        said = refused(lambda name=name: auditor.delete_collection(CollectionId=name))
        assert "role of likeness" in said
    with pytest.raises(ClientError) as error:
        server.admin.rekognition().delete_collection(CollectionId="none-of-that-name")
    assert error.value.response["Error"]["Code"] == "ResourceNotFoundException"
    assert "x-likeness-receipt" in error.value.response["ResponseMetadata"]["HTTPHeaders"]
    failed = server.entries()[-1]
    assert (failed["kind"], failed["action"]) == ("failed", "read")


def test_who_may_not_watch_learns_of_no_collection(serve: Callable[..., Served]) -> None:
    server = serve(LIKENESS_CROPS="on")
    people(server, RED)
    client = server.key("desk", "--purpose", "missing-persons")
    wanted = {
        "image": b64encode(disc(RED)).decode(),
        "purpose": "missing-persons",
        "authority": "Ministry",
        "criteria": "missing since May",
        "expires_at": (datetime.now(UTC) + timedelta(days=3)).isoformat(),
    }
    there, nowhere = (
        client.v1("POST", "watches", {**wanted, "collection": name}) for name in ("c", "none")
    )
    assert (there.status_code, nowhere.status_code) == (403, 403)
    assert there.json()["detail"] == nowhere.json()["detail"]
    assert [entry["kind"] for entry in server.entries()[-2:]] == ["refused", "refused"]
    assert client.v1("DELETE", f"watches/{uuid4()}").status_code == 403
    watcher = server.key("watch", "--role", "operator", "--purpose", "missing-persons")
    assert watcher.v1("POST", "watches", {**wanted, "collection": "none"}).status_code == 404
    assert server.entries()[-1]["kind"] == "failed"


def test_what_an_admin_declared_ends_with_no_collection_that_others_delete(
    serve: Callable[..., Served],
) -> None:
    server = serve()
    people(server, RED)
    arn = "arn:aws:rekognition:us-east-1:000000000000:collection/c"
    admin, client = server.admin.rekognition(), server.key("desk").rekognition()
    admin.tag_resource(ResourceArn=arn, Tags={"likeness:live": "true"})
    assert "likeness:" in refused(lambda: client.delete_collection(CollectionId="c"))
    admin.untag_resource(ResourceArn=arn, TagKeys=["likeness:live"])
    assert client.delete_collection(CollectionId="c")["StatusCode"] == 200


@pytest.mark.parametrize(
    ("pack", "caller"),
    [
        (
            ("eu-ai-act", "--choice", "high-risk-applies=2025-02-02"),
            ("--sector", "border-control", "--jurisdiction", "EU", "--purpose", "border-check"),
        ),
        (("illinois-bipa",), ("--sector", "commerce", "--jurisdiction", "US-IL")),
    ],
    ids=["reviews", "notice"],
)
def test_a_search_of_no_collection_owes_nothing(
    serve: Callable[..., Served], pack: tuple[str, ...], caller: tuple[str, ...]
) -> None:
    server = serve()  # pictures are not kept, so that a search that owes reviews is refused
    people(server, RED)
    server.json("policy", "enable", *pack)
    key = server.key("desk", *caller)
    soon(lambda: refused(lambda: search(key, disc(RED))))
    with pytest.raises(ClientError) as error:
        search(key, disc(RED), "none-of-that-name")
    assert error.value.response["Error"]["Code"] == "ResourceNotFoundException"


def test_tags_that_rules_go_by_are_refused_to_others_by_their_role(
    serve: Callable[..., Served],
) -> None:
    server = serve()
    people(server, RED)
    arn = "arn:aws:rekognition:us-east-1:000000000000:collection/c"
    operator = server.key("desk", "--role", "operator").rekognition()
    said = refused(lambda: operator.tag_resource(ResourceArn=arn, Tags={"likeness:live": "true"}))
    assert "role of likeness" in said


def test_police_without_a_purpose_or_jurisdiction_are_told_so(
    serve: Callable[..., Served],
) -> None:
    server = serve()
    people(server, RED)
    said = refused(lambda: search(server.key("pd", "--sector", "police"), disc(RED)))
    assert "police-without-purpose" in said
    assert "police-without-jurisdiction" in said


def test_what_an_undeclared_sector_may_do_is_a_rule_that_can_be_taken_back(
    serve: Callable[..., Served],
) -> None:
    server = serve()
    people(server, RED)
    warned = server.command("keys", "create", "anybody-at-all")
    assert "sector" in warned.err
    anybody = server.key("anybody")
    assert search(anybody, disc(RED))["FaceMatches"]
    server.json("policy", "enable", "authenticated-use", "--choice", "undeclared-sector=refused")
    soon(lambda: refused(lambda: search(anybody, disc(RED))))


def test_a_purpose_counts_when_it_is_signed_and_granted(
    serve: Callable[..., Served],
) -> None:
    server = serve()
    people(server, RED)
    desk = server.key(
        "desk", "--sector", "charity", "--purpose", "missing-persons", "--purpose", "research"
    )
    search(desk, disc(RED), X_Likeness_Purpose="research", X_Likeness_Case="2026/17")
    entries = server.entries()
    assert entries[-1]["purpose"] == "research"
    assert "2026/17" not in str(entries)
    for stated, recorded, rule in (
        ("surveillance", "surveillance", "purpose-not-granted"),
        ("words-of-a-client", "unknown", "unknown-purpose"),
    ):
        said = refused(lambda stated=stated: search(desk, disc(RED), X_Likeness_Purpose=stated))
        assert "missing-persons, research" in said
        refusal = server.entries()[-1]
        assert (refusal["kind"], refusal["purpose"]) == ("refused", recorded)
        assert refusal["rules"]["refused_by"] == [rule]
    since = server.entries()[len(entries) :]
    assert [one["kind"] for one in since] == ["refused", "refused"]
    assert "words-of-a-client" not in str(since)


def test_nobody_is_searched_for_in_pictures_of_this_moment(serve: Callable[..., Served]) -> None:
    server = serve()
    people(server, RED)
    people(server, RED, name="door")
    desk = server.key("desk", "--sector", "charity")
    said = refused(lambda: search(desk, disc(RED), X_Likeness_Live="true"))
    assert "real-time-identification" in said
    assert server.entries()[-1]["live"] is True
    admin = server.admin.rekognition()
    arn = admin.describe_collection(CollectionId="door")["CollectionARN"]
    admin.tag_resource(ResourceArn=arn, Tags={"likeness:live": "true"})
    refused(lambda: search(desk, disc(RED), "door", X_Likeness_Live="false"))
    assert search(desk, disc(RED))["FaceMatches"]
    explained = ("--sector", "charity", "--action", "search", "--collection")
    assert server.command("policy", "explain", *explained, "door").code == 1
    assert server.command("policy", "explain", *explained, "c").code == 0


def test_rules_on_searches_hold_where_somebody_is_compared_with_several_faces(
    serve: Callable[..., Served],
) -> None:
    server = serve(LIKENESS_CROPS="on")
    desk = server.key("desk", "--sector", "charity", "--jurisdiction", "EU")

    def compare(*others: Colour, **headers: str) -> Any:
        return desk.rekognition(**headers).compare_faces(
            SourceImage={"Bytes": disc(RED)}, TargetImage={"Bytes": disc(*others)}
        )["FaceMatches"]

    assert compare(RED, X_Likeness_Live="true")
    said = refused(lambda: compare(RED, GREEN, X_Likeness_Live="true"))
    assert "real-time-identification" in said
    assert compare(RED, GREEN)
    # A comparison belongs to no collection, so that nobody could review it.
    server.json("policy", "enable", "eu-ai-act", "--choice", "high-risk-applies=2025-02-02")
    assert "eu-ai-act-separate-review" in soon(lambda: refused(lambda: compare(RED, GREEN)))
    assert compare(RED)


def test_a_header_that_somebody_added_on_the_way_is_refused(
    serve: Callable[..., Served],
) -> None:
    server = serve()
    people(server, RED)
    desk = server.key("desk", "--sector", "charity", "--purpose", "research")
    client = desk.rekognition()

    def add(request: Any, **_: Any) -> None:
        request.headers["X-Likeness-Purpose"] = "research"

    client.meta.events.register("before-send.rekognition", add)
    said = refused(
        lambda: client.search_faces_by_image(CollectionId="c", Image={"Bytes": disc(RED)})
    )
    assert "is not signed" in said


def test_tags_that_rules_go_by_are_an_admins_and_each_change_is_an_entry(
    serve: Callable[..., Served],
) -> None:
    server = serve()
    people(server, RED)
    admin = server.admin.rekognition()
    arn = admin.describe_collection(CollectionId="c")["CollectionARN"]
    tags = {"likeness:purpose": "missing-persons"}
    operator = server.key("ops", "--role", "operator", "--sector", "charity").rekognition()
    operator.tag_resource(ResourceArn=arn, Tags={"team": "desk"})
    refused(lambda: operator.tag_resource(ResourceArn=arn, Tags=tags))
    refused(lambda: operator.create_collection(CollectionId="d", Tags=tags))
    before = len(server.entries())
    admin.tag_resource(ResourceArn=arn, Tags=tags)
    refused(lambda: operator.untag_resource(ResourceArn=arn, TagKeys=list(tags)))
    since = server.entries()[before:]
    assert [(one["kind"], one["operation"]) for one in since] == [
        ("done", "TagResource"),
        ("refused", "UntagResource"),
    ]


def test_a_collection_is_for_no_other_purpose_than_it_says(
    serve: Callable[..., Served],
) -> None:
    server = serve()
    people(server, RED)
    admin = server.admin.rekognition()
    arn = admin.describe_collection(CollectionId="c")["CollectionARN"]
    admin.tag_resource(ResourceArn=arn, Tags={"likeness:purpose": "victim-search"})
    purposes = ("--purpose", "missing-persons", "--purpose", "visitor-recognition")
    desk = server.key("desk", "--sector", "charity", *purposes)
    assert search(desk, disc(RED))["FaceMatches"]
    said = refused(lambda: search(desk, disc(RED), X_Likeness_Purpose="visitor-recognition"))
    assert "collection-for-another-purpose" in said


def test_a_key_asks_no_more_often_than_it_may_at_whichever_door(
    serve: Callable[..., Served],
) -> None:
    server = serve(LIKENESS_KEY_RATE="0.001")
    assert server.admin.v1("GET", "checkpoint").status_code == 200
    answer = server.admin.v1("GET", "checkpoint")
    assert (answer.status_code, answer.json()["title"]) == (429, "TooManyRequests")
    with pytest.raises(ClientError, match="ProvisionedThroughputExceeded"):
        server.admin.rekognition().list_collections()


def test_packs_are_in_force_on_a_running_server_within_a_second(
    serve: Callable[..., Served],
) -> None:
    server = serve()
    people(server, RED)
    office = ("--sector", "commerce", "--jurisdiction", "US-OR-PDX")
    shop = server.key("shop", *office, "--purpose", "visitor-recognition")
    search(shop, disc(RED))
    server.json("policy", "enable", "portland-2021")
    soon(lambda: "34.10" in refused(lambda: search(shop, disc(RED))))
    server.json("policy", "disable", "portland-2021")
    soon(lambda: search(shop, disc(RED)))
    server.json("policy", "disable", "authenticated-use")
    soon(lambda: refused(lambda: search(shop, disc(RED))))
    server.json("policy", "enable", "authenticated-use")
    soon(lambda: search(shop, disc(RED)))


def test_the_stop_switch_stops_a_part_or_all_until_it_is_taken_back(
    serve: Callable[..., Served],
) -> None:
    server = serve()
    people(server, RED)
    people(server, RED, name="other")
    desk = server.key("desk", "--sector", "charity", "--organisation", "A Desk")
    for part in (("--all",), ("--organisation", "A Desk"), ("--collection", "c")):
        server.json("policy", "suspend", *part, "--reason", "complaint of 3 May")
        soon(lambda: refused(lambda: search(desk, disc(RED))))
        assert "stop-switch" in refused(lambda: search(desk, disc(RED)))
        if part[0] == "--collection":
            assert search(desk, disc(RED), "other")["FaceMatches"]
        server.json("policy", "resume", *part)
        soon(lambda: search(desk, disc(RED)))


def test_nobody_is_erased_the_less_while_all_is_stopped(
    serve: Callable[..., Served],
) -> None:
    server = serve()
    people(server, RED)
    admin = server.admin.rekognition()
    (face,) = admin.list_faces(CollectionId="c")["Faces"]
    server.json("policy", "suspend", "--all", "--reason", "audit")
    soon(lambda: refused(lambda: search(server.admin, disc(RED))))
    assert admin.delete_faces(CollectionId="c", FaceIds=[face["FaceId"]])["DeletedFaces"]


def test_explain_says_of_a_key_what_the_server_then_does(
    serve: Callable[..., Served],
) -> None:
    server = serve()
    people(server, RED)
    police = server.key("pd", *POLICE)
    outcome = server.command(
        "policy", "explain", "--key", "pd", "--purpose", "missing-persons", "--collection", "c"
    )
    assert outcome.code == 1
    assert "amazon-2020-police" in outcome.out
    assert "amazon-2020-police" in refused(lambda: search(police, disc(RED)))


def test_simulate_says_what_other_rules_would_have_done_to_what_was_done(
    serve: Callable[..., Served],
) -> None:
    server = serve()
    people(server, RED)
    shop = server.key("shop", "--sector", "commerce", "--jurisdiction", "US-WA")
    search(shop, disc(RED))
    refused(lambda: search(server.key("pd", *POLICE), disc(RED)))
    outcome = server.command("policy", "simulate", "--disable", "amazon-2020")
    assert outcome.code == 0, outcome.err
    assert "SearchFacesByImage" in outcome.out
    assert search(shop, disc(RED))["FaceMatches"]
