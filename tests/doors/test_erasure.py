"""What became of whom the wire erased: certificates and reports, over HTTP."""

import base64
from uuid import uuid4

import pytest

from likeness.terms import Principal, Role
from tests.rekognition.operations.discs import disc

from .conftest import GREEN, RED, Doors


def test_certificates_of_the_wire_are_listed_given_and_verified(doors: Doors) -> None:
    red, green = doors.employ(RED, GREEN)
    with doors.wire() as client:
        client.delete_user(CollectionId="staff", UserId="p0")
        client.delete_faces(CollectionId="staff", FaceIds=[red])
    with doors.v1(Principal("key:auditor", Role.AUDITOR)) as v1:
        listed = v1("GET", "certificates").json()["certificates"]
        assert [(one["subjects"], one["references"]) for one in listed] == [(0, 1), (1, 0)]
        assert {one["collection"] for one in listed} == {"staff"}
        for one in listed:
            given = v1("GET", f"certificates/{one['id']}").json()
            assert given["digest"] == one["digest"]
            assert given["certificate"]["id"] == one["id"]
            found = v1("GET", f"certificates/{one['id']}/verification").json()
            assert (found["holds"], found["returns"]) == (True, [])
        assert v1("GET", f"certificates/{uuid4()}").status_code == 404
    with doors.v1(Principal("key:client", Role.CLIENT)) as v1:
        assert v1("GET", "certificates").status_code == 403
    with doors.wire() as client:
        client.delete_collection(CollectionId="staff")
    with doors.v1() as v1:
        first = v1("GET", "certificates?limit=1").json()
        assert (first["certificates"][0]["whole_collection"], green in str(first)) == (True, False)


def test_who_searched_over_the_wire_is_in_the_report_by_name_picture_and_external_id(
    doors: Doors,
) -> None:
    doors.employ(RED, GREEN)
    officer = Principal(
        "key:officer", Role.CLIENT, organisation="Border", purposes=("border-check",)
    )
    with doors.wire(officer) as client:
        client.search_faces_by_image(CollectionId="staff", Image={"Bytes": disc(RED)})
        client.index_faces(
            CollectionId="staff", Image={"Bytes": disc(GREEN)}, ExternalImageId="badge-7"
        )
    picture = base64.b64encode(disc(RED)).decode()
    with doors.v1() as v1:
        by_name = v1("POST", "subject-reports", {"subject": "p0"})
        by_picture = v1(
            "POST", "subject-reports/picture", {"image": picture, "collection": "staff"}
        )
        for answered in (by_name, by_picture):
            assert answered.headers["x-likeness-receipt"]
            (report,) = answered.json()["reports"]
            gave = {one["operation"]: one["returned"] for one in report["uses"]}
            assert (gave["SearchFacesByImage"], gave["AssociateFaces"]) == (True, False)
            searches = [one for one in report["uses"] if one["operation"] == "SearchFacesByImage"]
            assert [
                (one["principal"], one["purpose"], one["organisation"]) for one in searches
            ] == [("key:officer", "border-check", "Border")]
        (badge,) = v1("POST", "subject-reports", {"subject": "badge-7"}).json()["reports"]
        assert (badge["subject"], badge["references"][0]["external_id"]) == (None, "badge-7")
        assert v1("POST", "subject-reports", {"subject": "nobody"}).status_code == 404


@pytest.mark.parametrize("role", [Role.CLIENT, Role.REVIEWER, Role.AUDITOR])
def test_reports_are_for_those_who_may_read_and_audit(doors: Doors, role: Role) -> None:
    doors.employ(RED)
    picture = base64.b64encode(disc(RED)).decode()
    with doors.v1(Principal("key:somebody", role)) as v1:
        for path, body in (("", {"subject": "p0"}), ("/picture", {"image": picture})):
            assert v1("POST", f"subject-reports{path}", body).status_code == 403
