"""Trying it out: faces are found, compared and searched for, and answered in words."""

import html
import json
import os
import re
import struct
import subprocess
import sys
import zlib
from itertools import count
from pathlib import Path

import pytest
from botocore.session import Session

from likeness.console.pages.try_programs import is_for_boto3
from likeness.service.enrol.collections import create_collection
from likeness.service.enrol.enrol import Demands, Enroller
from likeness.service.enrol.sources import NamedPicture
from likeness.service.uses import Caller
from likeness.terms import Principal, Role
from likeness.vision.decode import inspect
from tests.cli.conftest import ship_standards
from tests.console.conftest import PASSWORD, Pages
from tests.console.people import Files, Person, Shown
from tests.rekognition.conftest import serving_discs
from tests.rekognition.operations.discs import BLUE, GREEN, RED, beside, disc, grey

TRY, COMPARE, SEARCH = "/console/try", "/console/try/compare", "/console/try/search"
_NUMBERS = count()


@pytest.fixture
def person(pages: Pages) -> Person:
    """Somebody who may do what pictures take."""
    return pages.person(Role.OPERATOR)


def enrolled(pages: Pages, **people: bytes) -> str:
    """Make a collection of people with a picture each; gives its name."""
    name = f"tried-{next(_NUMBERS)}"
    caller = Caller(Principal("local:tests", Role.ADMIN), "enrol")
    create_collection(pages.home, caller, name)
    pictures = [
        NamedPicture(who, lambda limits, content=content: inspect(content, limits), who)
        for who, content in people.items()
    ]
    enroller = Enroller(pages.home, caller, name, Demands(any_quality=True), workers=1)
    assert [one.error for one in enroller.enrol(pictures)] == [None] * len(people)
    return name


def found(person: Person, *pictures: bytes) -> Shown:
    """Find the faces of pictures."""
    files: Files = [("picture", (f"{n}.png", one)) for n, one in enumerate(pictures, 1)]
    return person.send(person.see(TRY), TRY, files=files)


def compared(
    person: Person, first: bytes, second: bytes, names: tuple[str, str] = ("a.png", "b.png")
) -> Shown:
    """Compare two pictures."""
    files = {"first": (names[0], first), "second": (names[1], second)}
    return person.send(person.see(COMPARE), COMPARE, files=files)


def searched(person: Person, collection: str, picture: bytes, **more: str) -> Shown:
    """Search a collection."""
    asked = {"collection": collection, **more}
    files = {"picture": ("a.png", picture)}
    return person.send(person.see(SEARCH), SEARCH, asked, files)


def beside_field(shown: Shown, field: str) -> str:
    """Give what is said beside a field; nothing where nothing is."""
    said = re.search(rf'id="{field}-wrong">([^<]*)<', shown.html)
    return "" if said is None else said[1]


def programs(shown: Shown) -> list[str]:
    """Give the programs for boto3 that are shown."""
    texts = re.findall(r"<pre[^>]*><code>(from .*?)</code>", shown.html, re.DOTALL)
    return [html.unescape(one) for one in texts]


def ran(pages: Pages, shown: Shown, folder: Path) -> str:
    """Paste the program that is shown, and run it in a folder with a key; gives what it prints."""
    (program,) = programs(shown)
    key = dict(zip(("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"), pages.first_key, strict=True))
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), **key}
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def document(shown: Shown) -> dict[str, object]:
    """Give the answer that is shown as JSON."""
    texts = re.findall(r"<pre[^>]*><code>(\{.*?)</code>", shown.html, re.DOTALL)
    read: dict[str, object] = json.loads(texts[0].replace("&#34;", '"'))
    return read


def test_faces_are_found_and_marked(person: Person) -> None:
    shown = found(person, disc(RED, BLUE))
    assert shown.status == 200
    assert "2 faces." in shown.text
    assert "Face 2" in shown.text
    assert shown.html.count("<rect") == 2
    assert shown.html.count("<circle") == 10
    assert 'src="data:image/jpeg;base64,' in shown.html
    assert len(document(shown)["faces"]) == 2  # type: ignore[arg-type]
    assert "rekognition.detect_faces(" in shown.text
    assert shown.headers["x-likeness-receipt"] in shown.text


def test_nobody_in_a_picture_is_an_answer(person: Person) -> None:
    shown = found(person, grey(200, 100))
    assert shown.status == 200
    assert "No face found." in shown.text
    assert document(shown)["faces"] == []


def test_of_several_pictures_a_bad_one_is_reported_beside_the_others(person: Person) -> None:
    shown = found(person, disc(RED), b"no picture at all", disc(BLUE))
    assert shown.status == 200
    assert shown.text.count("1 face.") == 2
    assert "Not a supported picture" in shown.text
    # Each is a use of its own.
    assert len(set(re.findall(r"receipt (\S+)", shown.text))) == 2


def test_too_many_pictures_are_refused_beside_the_field(person: Person) -> None:
    shown = found(person, *[grey(20, 20)] * 9)
    assert shown.status == 400
    assert "8 at most" in beside_field(shown, "picture")


@pytest.mark.parametrize("path", [TRY, COMPARE])
def test_no_picture_is_said_beside_the_field(person: Person, path: str) -> None:
    shown = person.send(person.see(path), path)
    assert shown.status == 400
    field = "picture" if path == TRY else "first"
    assert beside_field(shown, field) == "No picture is given. Choose, drop or paste one."
    assert 'aria-invalid="true"' in shown.html


def png_of(width: int, height: int) -> bytes:
    """Give a PNG that says that it is so large, and is not."""
    body = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    header = struct.pack(">I", 13) + body + struct.pack(">I", zlib.crc32(body))
    end = struct.pack(">I", 0) + b"IEND" + struct.pack(">I", zlib.crc32(b"IEND"))
    return b"\x89PNG\r\n\x1a\n" + header + end


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"%PDF-1.7 this is no picture", "Not a supported picture"),
        (b"", "No bytes|Empty|No picture"),
        (png_of(20_000, 10_000), "Too large"),
        (disc(RED)[:200], "damaged|Truncated"),
    ],
)
def test_what_is_no_picture_is_said_beside_the_field(
    person: Person, content: bytes, said: str
) -> None:
    shown = found(person, content)
    assert shown.status == 400
    assert re.search(said, beside_field(shown, "picture"))


def test_two_pictures_of_one_person_are_likely_the_same(person: Person) -> None:
    shown = compared(person, disc(RED), disc(RED, side=120))
    assert shown.status == 200
    assert re.search(r"Likely the same person: [^:]*1 in [\d,]+ .* would score", shown.text)
    assert "rekognition.compare_faces(" in shown.text
    (match,) = document(shown)["matches"]  # type: ignore[misc]
    assert match["similarity"] > 80  # type: ignore[index]


def test_a_picture_is_the_same_as_itself(person: Person) -> None:
    assert "The same face of the same picture." in compared(person, disc(RED), disc(RED)).text


def test_two_people_are_no_match(person: Person) -> None:
    shown = compared(person, disc(RED), disc(BLUE))
    assert shown.status == 200
    assert "No match. A match needs a score that at most 1 in 1,000 strangers reach." in shown.text
    assert "Likely" not in shown.text
    # Of those who do not match it is not told how alike they are.
    assert "similarity" not in json.dumps(document(shown)["others"])


def test_every_face_of_the_second_picture_is_compared(person: Person) -> None:
    shown = compared(person, disc(GREEN), beside(disc(RED), disc(GREEN, side=120)))
    assert "pictures of 2 strangers" in shown.text
    assert shown.html.count("is-match") >= 2
    assert "No match. A match needs a score" in shown.text
    # What came of it comes before the pictures.
    verdict = shown.html.index('<p class="answer">Likely the same person')
    assert verdict < shown.html.index('src="data:image/jpeg')


@pytest.mark.parametrize(("first", "second", "field"), [(0, 1, "first"), (1, 0, "second")])
def test_a_picture_without_a_face_is_named(
    person: Person, first: int, second: int, field: str
) -> None:
    pictures = grey(100, 100), disc(RED)
    shown = compared(person, pictures[first], pictures[second])
    assert shown.status == 400
    assert "face" in beside_field(shown, field)
    assert "No match" not in shown.text


def test_somebody_is_recognised(pages: Pages, person: Person) -> None:
    name = enrolled(pages, Ann=disc(RED), Bob=disc(BLUE))
    shown = searched(person, name, disc(RED, side=120))
    assert shown.status == 200
    assert re.search(r"Likely Ann: .*1 in [\d,]+.* strangers would score this high", shown.text)
    assert "Face 1: Ann" in shown.text
    assert f"CollectionId='{name}'" in shown.text
    assert "x-likeness-any-strangers" in shown.text
    (face,) = document(shown)["faces"]  # type: ignore[misc]
    assert face["match"] == "Ann"  # type: ignore[index]
    assert shown.headers["x-likeness-receipt"] in shown.text


def test_a_stranger_is_no_match(pages: Pages, person: Person) -> None:
    name = enrolled(pages, Ann=disc(RED), Bob=disc(BLUE))
    shown = searched(person, name, disc(GREEN))
    assert "No match." in shown.text
    assert "Likely Ann" not in shown.text


def test_the_picture_of_somebody_is_recognised_as_itself(pages: Pages, person: Person) -> None:
    name = enrolled(pages, Ann=disc(RED))
    shown = searched(person, name, disc(RED))
    assert "The very picture that Ann is enrolled with." in shown.text


def test_programs_for_boto3_run_as_they_are_printed(
    pages: Pages, person: Person, tmp_path: Path
) -> None:
    picture, other = "it's \u202e {her}.png", "b.png"
    (tmp_path / picture).write_bytes(disc(RED))
    (tmp_path / other).write_bytes(disc(RED, side=120))
    files = {"picture": (picture, disc(RED))}
    detects = person.send(person.see(TRY), TRY, files=files)
    assert "'BoundingBox'" in ran(pages, detects, tmp_path)
    assert detects.text.count("AWS_SECRET_ACCESS_KEY") == 1
    compares = compared(person, disc(RED), disc(RED, side=120), (picture, other))
    assert "'Similarity'" in ran(pages, compares, tmp_path)
    name = enrolled(pages, Ann=disc(RED, side=120))
    asked = {"collection": name}
    searches = person.send(person.see(SEARCH), SEARCH, asked, files)
    assert "'Similarity'" in ran(pages, searches, tmp_path)


def test_a_collection_that_boto3_cannot_name_has_no_program(pages: Pages, person: Person) -> None:
    caller = Caller(Principal("local:tests", Role.ADMIN), "enrol")
    create_collection(pages.home, caller, "sample people")
    shown = searched(person, "sample people", disc(RED))
    assert shown.status == 200
    assert programs(shown) == []
    assert "cannot name the collection “sample people”" in shown.text


def test_names_for_boto3_are_those_of_its_model() -> None:
    model = Session().get_service_model("rekognition").shape_for("CollectionId")
    assert model.metadata == {"min": 1, "max": 255, "pattern": r"[a-zA-Z0-9_.\-]+"}
    fit = ["sample-people", "a.b_C9", "x" * 255]
    assert [
        one for one in [*fit, "", "sample people", "é", "a\n", "x" * 256] if is_for_boto3(one)
    ] == fit


def test_an_unnamed_face_is_called_by_its_external_id(pages: Pages, person: Person) -> None:
    name = enrolled(pages)
    pages.client.index_faces(CollectionId=name, Image={"Bytes": disc(RED)}, ExternalImageId="red-1")
    shown = searched(person, name, disc(RED, side=120))
    assert "Likely the unnamed face with external id red-1:" in shown.text
    assert "Face 1: red-1" in shown.text
    people = person.see(f"/console/collections/{name}").text
    assert "Nobody has a name yet." in people
    assert "Nobody is enrolled yet." not in people


def test_an_empty_collection_is_said_to_be_empty_and_is_not_the_first_choice(
    pages: Pages, person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Other tests leave collections here, and of very many none is listed.
    module = sys.modules["likeness.console.pages.try_out"]
    monkeypatch.setattr(module, "_MOST_LISTED", 10_000)
    caller = Caller(Principal("local:tests", Role.ADMIN), "enrol")
    create_collection(pages.home, caller, "0-empty")
    enrolled(pages, Ann=disc(RED))
    page = person.see(SEARCH)
    assert "0-empty (empty)" in page.text
    assert ("collection", "0-empty") not in page.form(SEARCH).fields
    shown = searched(person, "0-empty", disc(RED))
    assert "Nobody can be found: the collection is empty." in shown.text
    assert "Compared with 0" not in shown.text


def test_who_is_alike_but_not_named_is_said_with_the_reason_and_who_decides(
    tmp_path: Path,
) -> None:
    shipped = ship_standards(tmp_path / "shipped")
    chosen = {"crops": "on", "fpir": 1e-7}
    with serving_discs(tmp_path / "home", shipped, **chosen) as (running, serving):
        pages = Pages(running, serving)
        with pages.opened:
            person = pages.person()
            name = enrolled(pages, Ann=disc(RED), Bob=disc(BLUE))
            shown = searched(person, name, disc((222, 44, 44)))
    assert "Nobody is named. The most alike is Ann, but that is not enough" in shown.text
    assert "Not named: Ann, similarity" in shown.text
    assert "a higher LIKENESS_FPIR" in shown.text
    assert "Not a match" not in shown.text
    assert "so reviewers were asked. You cannot decide a search of your own." in shown.text
    assert "Case " in shown.text


def test_a_collection_that_is_not_there_is_said_beside_the_field(
    pages: Pages, person: Person
) -> None:
    enrolled(pages)
    for name in ("no such one", "<script>alert(1)</script>", "x" * 5000, "\u202eevil", "a\0b"):
        shown = searched(person, name, disc(RED))
        assert shown.status in (400, 404)
        assert beside_field(shown, "collection")
        assert "<script>alert" not in shown.html
    assert beside_field(searched(person, "", disc(RED)), "collection")


def test_names_are_shown_as_they_are_and_run_nothing(pages: Pages, person: Person) -> None:
    name = enrolled(pages, **{"<script>alert(1)</script>": disc(RED)})
    shown = searched(person, name, disc(RED, side=120))
    assert "Likely <script>alert(1)</script>" in shown.text
    assert "<script>alert" not in shown.html


def test_who_may_not_look_sees_no_faces(pages: Pages) -> None:
    for role in (Role.AUDITOR, Role.REVIEWER):
        person = pages.person(role)
        for path in (TRY, COMPARE, SEARCH, f"{TRY}/samples/0", "/console/tour"):
            assert person.see(path).status == 403
        csrf = re.search(r'name="csrf" value="([^"]+)"', person.see("/console/account").html)
        assert csrf is not None
        sent = person.client.post(TRY, data={"csrf": csrf[1]}, files={"picture": disc(RED)})
        assert sent.status_code == 403


def test_a_purpose_is_chosen_among_those_granted(pages: Pages) -> None:
    person = pages.person(Role.OPERATOR, purposes=("missing-persons", "identity-verification"))
    page = person.see(TRY)
    assert ("purpose", "missing-persons") in page.form(TRY).fields
    files = {"picture": ("a.png", disc(RED))}
    assert person.send(page, TRY, {"purpose": "identity-verification"}, files).status == 200
    refused = person.send(page, TRY, {"purpose": "mass-surveillance"}, files)
    assert refused.status == 403
    assert "is refused by" in refused.text
    assert refused.form(TRY)  # to choose another


def test_pictures_of_exploitation_open_blurred(pages: Pages) -> None:
    person = pages.person(Role.OPERATOR, purposes=("exploited-children",))
    shown = found(person, disc(RED))
    assert shown.status == 200, shown.text
    assert "Show it as it is" in shown.text
    assert shown.html.count("data:image/jpeg") == 2


def test_an_answer_is_given_again_and_nothing_is_kept(pages: Pages, person: Person) -> None:
    page = person.see(TRY)
    files = {"picture": ("a.png", disc(RED))}
    first, second = (person.send(page, TRY, files=files) for _ in range(2))
    assert (first.status, second.status) == (200, 200)
    assert "1 face." not in person.see(TRY).text


def test_what_was_chosen_is_there_after_signing_in_again(pages: Pages) -> None:
    name, who = enrolled(pages, Ann=disc(RED)), pages.make(Role.OPERATOR)
    enrolled(pages)
    person = pages.stranger()
    person.sign_in(who, PASSWORD)
    page = person.see(SEARCH)
    person.client.cookies.clear()
    over = person.send(page, SEARCH, {"collection": name}, {"picture": ("a.png", disc(RED))})
    assert over.status == 401
    again = person.send(over, "/console/sign-in", {"name": who, "secret": PASSWORD})
    assert again.path == SEARCH
    assert ("collection", name) in again.form(SEARCH).fields
    assert "Likely" not in again.text


def test_a_page_is_kind_to_nonsense(person: Person) -> None:
    page = person.see(TRY)
    for asked in ("99", "-1", "²", "9" * 5000, "\0", "<script>"):
        shown = person.send(page, TRY, {"picture_sample": asked})
        assert shown.status == 400
        assert beside_field(shown, "picture")
    for number in ("99", "9" * 5000, "x"):
        assert person.see(f"{TRY}/samples/{number}").status == 404
