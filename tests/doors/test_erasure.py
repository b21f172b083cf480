"""What became of whom the wire erased: certificates and reports, over HTTP."""

from uuid import uuid4

from likeness.terms import Principal, Role

from .conftest import GREEN, RED, Doors


def test_certificates_of_the_wire_are_listed_given_and_verified(doors: Doors) -> None:
    red, green = doors.employ(RED, GREEN)
    with doors.wire() as client:
        client.delete_user(CollectionId="staff", UserId="p0")
        client.delete_faces(CollectionId="staff", FaceIds=[red])
    with doors.v1(Principal("key:auditor", Role.AUDITOR)) as v1:
        listed = v1("GET", "/v1/certificates").json()["certificates"]
        assert [(one["subjects"], one["references"]) for one in listed] == [(0, 1), (1, 0)]
        assert {one["collection"] for one in listed} == {"staff"}
        for one in listed:
            given = v1("GET", f"/v1/certificates/{one['id']}").json()
            assert given["digest"] == one["digest"]
            assert given["certificate"]["id"] == one["id"]
            found = v1("GET", f"/v1/certificates/{one['id']}/verification").json()
            assert (found["holds"], found["returns"]) == (True, [])
        assert v1("GET", f"/v1/certificates/{uuid4()}").status_code == 404
    with doors.v1(Principal("key:client", Role.CLIENT)) as v1:
        assert v1("GET", "/v1/certificates").status_code == 403
    with doors.wire() as client:
        client.delete_collection(CollectionId="staff")
    with doors.v1() as v1:
        first = v1("GET", "/v1/certificates?limit=1").json()
        assert (first["certificates"][0]["whole_collection"], green in str(first)) == (True, False)
