"""Every operation is admitted before it looks at anything, released, and recorded."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, BinaryIO, TypeVar
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Connection

from likeness.errors import Denied
from likeness.rekognition.backend import Backend
from likeness.rekognition.call import contract
from likeness.rekognition.operations import OPERATIONS
from likeness.service.uses import Ongoing
from likeness.service.uses.record import Outcome
from likeness.service.uses.withhold import M, Probe
from likeness.storage import Database
from likeness.terms import Action, Decision, Duty, Obligation, Principal, Role, Rule, Use
from likeness.vision.decode import Sample
from tests.rekognition.operations.conftest import serving, tag_as_before
from tests.rekognition.operations.discs import BLUE, RED, disc
from tests.rekognition.operations.refusals import refusal
from tests.rekognition.operations.test_streams import NAME, NEW

T = TypeVar("T")
NOBODY = "00000000-0000-4000-8000-000000000000"
_ALLOWED = Decision((), (), (), "")
ARN = "arn:aws:rekognition:eu-west-1:000000000000:collection/staff"
STAFF = {"CollectionId": "staff"}
CLIP = {"Video": {"S3Object": {"Bucket": "pictures", "Name": "one.mp4"}}}
PICTURE = {"Image": {"S3Object": {"Bucket": "pictures", "Name": "one.png"}}}


@dataclass
class Notes:
    """What a desk saw."""

    uses: list[Use] = field(default_factory=list)
    probes: list[Probe] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)


@dataclass
class NotedRecord:
    database: Database
    use: Use
    notes: Notes
    most: int
    case_id: UUID | None
    receipt: str | None = None
    decision: Decision = _ALLOWED
    ended: bool = False
    withheld: bool = False
    confirmed: bool = False

    def not_told_apart(self, matches: Sequence[M], probe: Probe) -> Sequence[M]:
        return matches

    def refer(self, matches: Sequence[M], probe: Probe) -> None:
        pass

    def release(
        self,
        matches: Sequence[M],
        probe: Probe,
        among: Callable[[Sequence[UUID]], Sequence[M]],
        least: float = 0.0,
    ) -> list[M]:
        self.notes.probes.append(probe)
        return list(matches)[: self.most]

    def write(self, act: Callable[[Connection], T], outcome: Callable[[T], Outcome]) -> T:
        result = self.database.write(act)
        self.answered(outcome(result))
        return result

    def answered(self, outcome: Outcome) -> None:
        self.notes.outcomes.append(outcome)
        self.receipt = "receipt-1"


@dataclass
class NotingDesk:
    """Notes what it is asked; refuses `refused`, releases at most `most` matches."""

    database: Database
    refused: frozenset[Action] = frozenset()
    most: int = 100
    case_id: UUID | None = None
    notes: Notes = field(default_factory=Notes)
    decision: Decision = _ALLOWED

    @contextmanager
    def record(self, use: Use, ongoing: Ongoing | None = None) -> Iterator[NotedRecord]:
        self.notes.uses.append(use)
        if use.action in self.refused:
            raise Denied("rule no-bulk-surveillance of pack defaults refuses this")
        yield NotedRecord(
            self.database, use, self.notes, self.most, self.case_id, decision=self.decision
        )


REQUESTS: dict[str, tuple[Action, dict[str, Any]]] = {
    "CompareFaces": (
        Action.COMPARE,
        {"SourceImage": PICTURE["Image"], "TargetImage": PICTURE["Image"]},
    ),
    "DetectFaces": (Action.DETECT, PICTURE),
    "CreateCollection": (Action.ARRANGE, {"CollectionId": "guests"}),
    "DescribeCollection": (Action.READ, STAFF),
    "ListCollections": (Action.READ, {}),
    "DeleteCollection": (Action.ERASE, STAFF),
    "IndexFaces": (Action.ENROL, {**STAFF, **PICTURE}),
    "ListFaces": (Action.READ, STAFF),
    "DeleteFaces": (Action.ERASE, {**STAFF, "FaceIds": [NOBODY]}),
    "SearchFaces": (Action.SEARCH, {**STAFF, "FaceId": NOBODY}),
    "SearchFacesByImage": (Action.SEARCH, {**STAFF, **PICTURE}),
    "CreateUser": (Action.ARRANGE, {**STAFF, "UserId": "Rosa"}),
    "DeleteUser": (Action.ERASE, {**STAFF, "UserId": "Rosa"}),
    "ListUsers": (Action.READ, STAFF),
    "AssociateFaces": (Action.SEARCH, {**STAFF, "UserId": "Rosa", "FaceIds": [NOBODY]}),
    "DisassociateFaces": (Action.ARRANGE, {**STAFF, "UserId": "Rosa", "FaceIds": [NOBODY]}),
    "SearchUsers": (Action.SEARCH, {**STAFF, "FaceId": NOBODY}),
    "SearchUsersByImage": (Action.SEARCH, {**STAFF, **PICTURE}),
    "TagResource": (Action.ARRANGE, {"ResourceArn": ARN, "Tags": {"team": "door"}}),
    "UntagResource": (Action.ARRANGE, {"ResourceArn": ARN, "TagKeys": ["team"]}),
    "ListTagsForResource": (Action.READ, {"ResourceArn": ARN}),
    "StartFaceDetection": (Action.DETECT, CLIP),
    "StartFaceSearch": (Action.SEARCH, {**STAFF, **CLIP}),
    "GetFaceDetection": (Action.READ, {"JobId": "0" * 64}),
    "GetFaceSearch": (Action.READ, {"JobId": "0" * 64}),
    "CreateStreamProcessor": (Action.ARRANGE, NEW),
    "DescribeStreamProcessor": (Action.READ, NAME),
    "ListStreamProcessors": (Action.READ, {}),
    "StartStreamProcessor": (Action.SEARCH, NAME),
    "StopStreamProcessor": (Action.READ, NAME),
    "DeleteStreamProcessor": (Action.ARRANGE, NAME),
    "UpdateStreamProcessor": (Action.READ, NAME),
}


class NothingToRead:
    """Buckets that nobody may read."""

    def read(self, bucket: str, key: str, version: str | None, max_bytes: int) -> bytes:
        raise AssertionError("a picture was fetched")

    def size(self, bucket: str, key: str, version: str | None) -> int:
        raise AssertionError("a clip's size was asked for")

    def open(
        self,
        bucket: str,
        key: str,
        version: str | None,
        max_bytes: int,
        require_wanted: Callable[[], object] | None = None,
    ) -> BinaryIO:
        raise AssertionError("a clip was opened")


def asked(client: Any, operation: str) -> Callable[..., Any]:
    names = {name: method for method, name in client.meta.method_to_api_mapping.items()}
    act: Callable[..., Any] = getattr(client, names[operation])
    return act


@pytest.mark.usefixtures("rekognition")
def test_a_refused_use_fetches_and_decodes_nothing(
    backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    def decode(*_: object) -> None:
        raise AssertionError("a pixel was decoded")

    monkeypatch.setattr(Sample, "decode", decode)
    desk = NotingDesk(backend.database, refused=frozenset(Action))
    refusing = replace(backend, desk=desk, buckets=NothingToRead(), tells_streams=True)
    with serving(refusing) as client:
        for operation, (action, request) in REQUESTS.items():
            code, said = refusal(asked(client, operation), **request)
            assert (operation, code) == (operation, "AccessDeniedException")
            assert "no-bulk-surveillance" in said
            assert desk.notes.uses[-1].action is action
    assert REQUESTS.keys() == OPERATIONS.keys()
    assert [use.operation for use in desk.notes.uses] == list(REQUESTS)
    assert [one.name for one in backend.gallery.collections()] == ["staff"]


def test_a_use_names_the_collection_and_what_an_admin_declared_of_it(
    rekognition: Any, backend: Backend
) -> None:
    desk = NotingDesk(backend.database)
    tags = {"likeness:sector": "health", "likeness:purpose": "photo-organisation", "team": "door"}
    with serving(replace(backend, desk=desk)) as client:
        client.tag_resource(ResourceArn=ARN, Tags=tags)
        client.describe_collection(**STAFF)
    tagging, describing = desk.notes.uses
    assert tagging.action is Action.GOVERN
    assert describing.collection_id == backend.gallery.collection("staff").id
    facts = describing.collection
    assert (facts.sector, facts.jurisdiction, facts.purpose) == (
        "health",
        "undeclared",
        "photo-organisation",
    )


@pytest.mark.usefixtures("rekognition")
def test_tags_that_rules_go_by_are_an_admins_matter(backend: Backend) -> None:
    desk = NotingDesk(backend.database, refused=frozenset({Action.GOVERN}))
    declaring = {"likeness:sector": "police"}
    with serving(replace(backend, desk=desk)) as client:
        client.tag_resource(ResourceArn=ARN, Tags={"team": "door"})
        for act, request in (
            (client.tag_resource, {"ResourceArn": ARN, "Tags": declaring}),
            (client.untag_resource, {"ResourceArn": ARN, "TagKeys": [*declaring]}),
            (client.create_collection, {"CollectionId": "guests", "Tags": declaring}),
        ):
            assert refusal(act, **request)[0] == "AccessDeniedException"


def test_what_is_not_released_is_not_answered(rekognition: Any, backend: Backend) -> None:
    for colour in (RED, (222, 44, 44)):
        rekognition.index_faces(**STAFF, Image={"Bytes": disc(colour)})
    picture = {"Bytes": disc(RED)}
    desk = NotingDesk(backend.database, most=1)
    with serving(replace(backend, desk=desk)) as client:
        found = client.search_faces_by_image(**STAFF, Image=picture, MaxFaces=5)
        compared = client.compare_faces(SourceImage=picture, TargetImage={"Bytes": disc(RED, RED)})
    assert len(found["FaceMatches"]) == 1
    searched, comparison = desk.notes.probes
    assert searched.sample is not None
    assert searched.face is not None
    assert dict(searched.parameters) == {"by": "reference", "limit": "5", "threshold": "80.0"}
    assert "target" in dict(comparison.parameters)
    outcome = desk.notes.outcomes[0]
    (match,) = found["FaceMatches"]
    assert outcome == Outcome(1, 1, (UUID(match["Face"]["FaceId"]),))
    # A face below what a rule asks for does not match.
    assert (len(compared["FaceMatches"]), len(compared["UnmatchedFaces"])) == (1, 1)


@pytest.mark.parametrize("operation", ["search_faces_by_image", "search_users_by_image"])
def test_a_search_with_another_quality_filter_is_another_search(
    rekognition: Any, backend: Backend, operation: str
) -> None:
    desk = NotingDesk(backend.database)
    with serving(replace(backend, desk=desk)) as client:
        for chosen in ({}, *({"QualityFilter": one} for one in ("NONE", "LOW", "AUTO", "MEDIUM"))):
            getattr(client, operation)(**STAFF, Image={"Bytes": disc(RED)}, **chosen)
    without, none, low, auto, medium = (probe.parameters for probe in desk.notes.probes)
    assert without == none
    assert low == auto  # one bar under two names
    assert len({none, low, medium}) == 3


@pytest.mark.parametrize(("duty", "amount"), [(Duty.SIMILARITY, 99.0), (Duty.REVIEW, 1.0)])
def test_associating_faces_tells_nothing_that_a_search_would_not(
    rekognition: Any, backend: Backend, duty: Duty, amount: float
) -> None:
    red, alike, blue = (
        rekognition.index_faces(**STAFF, Image={"Bytes": disc(colour)})["FaceRecords"][0]["Face"][
            "FaceId"
        ]
        for colour in (RED, (222, 44, 44), BLUE)
    )
    rekognition.create_user(**STAFF, UserId="Rosa")
    owed = Obligation(duty, amount, Rule("a-rule", "a-pack", "a test"))
    desk = NotingDesk(backend.database, decision=replace(_ALLOWED, obligations=(owed,)))
    rosa = {**STAFF, "UserId": "Rosa", "UserMatchThreshold": 1}
    with serving(replace(backend, desk=desk)) as client:
        # Whose first face it is, is compared with nobody.
        assert len(client.associate_faces(**rosa, FaceIds=[red])["AssociatedFaces"]) == 1
        if duty is Duty.REVIEW:
            code, message = refusal(client.associate_faces, **rosa, FaceIds=[alike, blue])
            assert (code, "a-rule" in message) == ("AccessDeniedException", True)
        else:
            answer = client.associate_faces(**rosa, FaceIds=[alike, blue])
            unlike = answer["UnsuccessfulFaceAssociations"]
            assert blue in {one["FaceId"] for one in unlike}
            assert not any("Confidence" in one for one in unlike)


def test_an_answer_that_waits_for_people_names_its_case(rekognition: Any, backend: Backend) -> None:
    rekognition.index_faces(**STAFF, Image={"Bytes": disc(RED)})
    case_id = uuid4()
    desk = NotingDesk(backend.database, most=0, case_id=case_id)
    with serving(replace(backend, desk=desk)) as client:
        searched = client.search_faces_by_image(**STAFF, Image={"Bytes": disc(RED)})
    assert searched["FaceMatches"] == []
    headers = searched["ResponseMetadata"]["HTTPHeaders"]
    assert headers["x-likeness-case"] == str(case_id)
    assert headers["x-likeness-receipt"] == "receipt-1"


def test_looking_for_somebody_among_several_faces_is_a_search(backend: Backend) -> None:
    one, several = ({"Bytes": disc(*colours)} for colours in ((RED,), (RED, BLUE)))
    desk = NotingDesk(backend.database)
    with serving(replace(backend, desk=desk)) as client:
        client.compare_faces(SourceImage=several, TargetImage=one)
        assert [use.action for use in desk.notes.uses] == [Action.COMPARE]
        client.compare_faces(SourceImage=one, TargetImage=several)
    _, counted, searched = desk.notes.uses
    assert (counted.action, searched.action) == (Action.COMPARE, Action.SEARCH)
    assert counted.id == searched.id


def test_where_a_search_is_refused_somebody_among_several_is_compared_with_nobody(
    backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    def templates(*_: object) -> None:
        raise AssertionError("a template was made")

    monkeypatch.setattr(type(backend.load_finder(None)), "templates", templates)
    desk = NotingDesk(backend.database, refused=frozenset({Action.SEARCH}))
    with serving(replace(backend, desk=desk)) as client:
        code, _ = refusal(
            client.compare_faces,
            SourceImage={"Bytes": disc(RED)},
            TargetImage={"Bytes": disc(RED, BLUE)},
        )
    assert code == "AccessDeniedException"
    assert desk.notes.probes == []


@pytest.mark.parametrize(
    ("tags", "header", "live"),
    [
        ({}, None, False),
        ({}, "false", False),
        ({}, "true", True),
        ({"likeness:live": "false"}, None, False),
        ({"likeness:live": "false"}, "true", True),
        ({"likeness:live": "true"}, "false", True),
        ({"likeness:live": "yes"}, None, True),
        ({"likeness:live": ""}, None, True),
    ],
    ids=str,
)
def test_a_use_is_live_if_its_caller_or_an_admin_of_its_collection_says_so(
    rekognition: Any, backend: Backend, tags: dict[str, str], header: str | None, live: bool
) -> None:
    # As they may stand there from before other values were refused.
    tag_as_before(backend, tags)

    def state(request: Any, **_: Any) -> None:
        if header is not None:
            request.headers["X-Likeness-Live"] = header

    desk = NotingDesk(backend.database)
    with serving(replace(backend, desk=desk)) as client:
        client.meta.events.register("before-sign.rekognition", state)
        client.search_faces_by_image(**STAFF, Image={"Bytes": disc(RED)})
        client.detect_faces(Image={"Bytes": disc(RED)})
    searched, detected = desk.notes.uses
    assert (searched.live, detected.live) == (live, header == "true")


def test_what_is_neither_live_nor_not_is_refused(backend: Backend) -> None:
    with serving(backend) as client:
        client.meta.events.register(
            "before-sign.rekognition",
            lambda request, **_: request.headers.add_header("X-Likeness-Live", "perhaps"),
        )
        code, said = refusal(client.list_collections)
    assert code == "ValidationException"
    assert "neither true nor false" in said


def test_every_operation_says_what_came_of_it(rekognition: Any, backend: Backend) -> None:
    desk = NotingDesk(backend.database)
    with serving(replace(backend, desk=desk)) as client:
        client.create_user(**STAFF, UserId="Rosa")
        enrolled = client.index_faces(**STAFF, Image={"Bytes": disc(RED)})
        client.associate_faces(
            **STAFF, UserId="Rosa", FaceIds=[enrolled["FaceRecords"][0]["Face"]["FaceId"]]
        )
        client.delete_user(**STAFF, UserId="Rosa")
        client.delete_faces(**STAFF, FaceIds=[enrolled["FaceRecords"][0]["Face"]["FaceId"], NOBODY])
        again = client.index_faces(**STAFF, Image={"Bytes": disc(RED)})["FaceRecords"]
        client.delete_collection(**STAFF)
    created, indexed, associated, deleted, erased, _, gone = desk.notes.outcomes
    assert len(created.subject_ids) == len(indexed.reference_ids) == indexed.faces == 1
    assert associated == Outcome(
        reference_ids=indexed.reference_ids, subject_ids=created.subject_ids
    )
    assert erased.reference_ids == indexed.reference_ids
    assert list(deleted.forgotten) == list(created.subject_ids)
    assert list(erased.forgotten) == list(indexed.reference_ids)
    assert [str(one) for one in gone.forgotten] == [again[0]["Face"]["FaceId"]]
    assert gone.forgets_collection
    assert None not in (deleted.certificate_id, erased.certificate_id, gone.certificate_id)


def test_every_operation_is_one_of_the_service_models() -> None:
    assert all(contract(name) is not None for name in OPERATIONS)


def test_every_answer_has_the_receipt_of_its_entry(rekognition: Any) -> None:
    receipts = [
        answer["ResponseMetadata"]["HTTPHeaders"]["x-likeness-receipt"]
        for answer in (
            rekognition.list_collections(),
            rekognition.detect_faces(Image={"Bytes": disc(RED)}),
            rekognition.index_faces(**STAFF, Image={"Bytes": disc(RED)}),
        )
    ]
    assert len(set(receipts)) == 3


def test_an_auditor_sees_no_faces(rekognition: Any, backend: Backend) -> None:
    rekognition.index_faces(**STAFF, Image={"Bytes": disc(RED)})
    telling = replace(backend, tells_streams=True)
    with serving(telling, Principal("key:auditor", Role.AUDITOR)) as auditor:
        for operation, (_, request) in REQUESTS.items():
            code, _ = refusal(asked(auditor, operation), **request)
            assert (operation, code) == (operation, "AccessDeniedException")
