"""Video: clips are sent in pieces or whole, searched, played, copied, corrected and deleted."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from likeness import jobs
from likeness.console.pages.video.words import match_said
from likeness.console.visit import Visit
from likeness.console.wording import languages
from likeness.jobs import NewJob
from likeness.service.govern.keys import list_keys
from likeness.service.live.asked import LIVE_SEARCH
from likeness.service.video.seen import ClipMatch
from likeness.terms import Role
from tests.console.conftest import Pages
from tests.console.filming import done, employ, film, sent
from tests.console.people import Person, Shown

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return film(tmp_path_factory.mktemp("clips")).read_bytes()


@pytest.fixture(scope="module")
def staff(pages: Pages, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A collection that knows Rosa, who is red."""
    employ(pages.home, tmp_path_factory.mktemp("people"), "filmed-staff")
    return "filmed-staff"


def files_of(pages: Pages) -> list[Path]:
    root = pages.folder / "clips"
    return [one for one in root.rglob("*") if one.is_file()]


def piece(person: Person, content: bytes, **fields: Any) -> Any:
    csrf = dict(person.see("/console/video").form("/console/video").fields)["csrf"]
    return person.client.post(
        "/console/video/pieces",
        data={"clip": "", "offset": "0", **fields},
        files={"piece": ("piece", content)},
        headers={"x-csrf": csrf},
    )


@pytest.fixture(scope="module")
def searched(pages: Pages, clip: bytes, staff: str) -> tuple[Person, Shown]:
    """A clip that was searched for the people of the collection, and by whom."""
    person = pages.person(Role.OPERATOR)
    shown = sent(person, clip, act="search-people", collection=staff)
    assert shown.status == 200, shown.text
    return person, done(person, shown)


def test_who_is_seen_when_is_said_and_leads_to_the_moment(searched: tuple[Person, Shown]) -> None:
    person, shown = searched
    assert "street.mp4" in shown.text
    assert "Rosa" in shown.text
    assert "Stranger 1" in shown.text
    at = [one for one in shown.links if one.startswith("?at=")]
    assert "?at=0.0" in at
    moment = person.see(shown.path, at="1.5")
    assert 'src="' + shown.path + "/clip#t=1.5" in moment.html
    assert moment.html.count("<rect x=") == 2
    picture = person.client.get(f"{shown.path}/moment?at=1.5")
    assert picture.headers["content-type"] == "image/jpeg"
    assert picture.content.startswith(b"\xff\xd8")


def test_an_admin_reads_whose_job_it_was(pages: Pages, searched: tuple[Person, Shown]) -> None:
    person, shown = searched
    listed = pages.person(Role.ADMIN).see("/console/video")
    assert shown.path in listed.links
    assert f"UTC {person.name}" in listed.text
    assert "key:" not in listed.text


@pytest.mark.parametrize(
    ("extrapolated", "said"),
    [(False, "1 in 100,000 strangers"), (True, "1 in 100,000 (extrapolated) strangers")],
)
def test_a_rate_that_was_not_counted_is_marked(extrapolated: bool, said: str) -> None:
    visit = cast(Visit, SimpleNamespace(t=languages()["en"]))
    match = ClipMatch("Rosa", None, None, 99.0, 1e-5, None, extrapolated, True, None, 2, 2, 1.0)
    assert f"; {said} score as high on a track" in match_said(visit, match)


def test_captions_say_who_is_seen(searched: tuple[Person, Shown]) -> None:
    person, shown = searched
    captions = person.client.get(f"{shown.path}/who.vtt").text
    assert captions.startswith("WEBVTT\n")
    assert "\nRosa\n" in captions
    assert "00:00:00.000 --> 00:00:0" in captions


@pytest.mark.parametrize(
    ("asked", "status", "first", "last"),
    [
        (None, 200, 0, None),
        ("bytes=0-", 206, 0, None),
        ("bytes=10-19", 206, 10, 19),
        ("bytes=-5", 206, -5, None),
        ("bytes=10-999999999", 206, 10, None),
        ("bytes=0-1,4-5", 200, 0, None),
        ("nonsense", 200, 0, None),
        ("bytes=999999999-", 416, None, None),
        ("bytes=9-5", 416, None, None),
    ],
)
def test_a_player_gets_the_part_it_asks_for(
    searched: tuple[Person, Shown],
    clip: bytes,
    asked: str | None,
    status: int,
    first: int | None,
    last: int | None,
) -> None:
    person, shown = searched
    headers = {} if asked is None else {"range": asked}
    got = person.client.get(f"{shown.path}/clip", headers=headers)
    assert got.status_code == status
    assert got.headers["content-type"] == "video/mp4"
    assert got.headers["accept-ranges"] == "bytes"
    wanted = b"" if first is None else clip[first : None if last is None else last + 1]
    assert got.content == wanted
    if status == 206:
        begin = first if first is not None and first >= 0 else len(clip) - 5
        end = begin + len(wanted) - 1
        assert got.headers["content-range"] == f"bytes {begin}-{end}/{len(clip)}"


def test_a_clip_comes_in_pieces_in_any_number(pages: Pages, clip: bytes) -> None:
    person = pages.person(Role.OPERATOR)
    half = len(clip) // 2
    begun = piece(person, clip[:half], bytes=str(len(clip)))
    clip_id = begun.json()["clip"]
    missing = piece(person, clip[half:], clip=clip_id, offset=str(half + 1))
    assert missing.status_code == 409
    assert "A piece is missing" in missing.text
    for _ in range(2):  # one that comes again changes nothing
        assert piece(person, clip[half:], clip=clip_id, offset=str(half)).status_code == 200
    page = person.see("/console/video")
    fields = {"act": "detect-faces", "clip": clip_id, "clip_bytes": str(len(clip))}
    shown = person.send(
        page, "/console/video", {**fields, "clip_name": "sent from/here\\pieces.mp4"}
    )
    shown = done(person, shown)
    assert "pieces.mp4" in shown.text
    assert "sent from" not in shown.text
    assert "Person 2" in shown.text
    assert person.client.get(f"{shown.path}/clip").content == clip


def test_a_clip_that_did_not_come_whole_begins_nothing(pages: Pages, clip: bytes) -> None:
    person = pages.person(Role.OPERATOR)
    clip_id = piece(person, clip[:100], bytes=str(len(clip))).json()["clip"]
    fields = {"act": "detect-faces", "clip": clip_id, "clip_bytes": str(len(clip))}
    shown = person.send(person.see("/console/video"), "/console/video", fields)
    assert shown.status == 409
    assert f"100 of {len(clip)} bytes" in shown.text


def test_too_much_is_refused_before_it_comes(pages: Pages) -> None:
    person = pages.person(Role.OPERATOR)
    before = files_of(pages)
    for size, said in (("9999999999999", "Too large"), ("0", "The file is empty"), ("x", "whole")):
        refused = piece(person, b"xx", bytes=size)
        assert refused.status_code in (400, 429)
        assert said in refused.text
    assert files_of(pages) == before


def test_to_others_there_is_neither_job_nor_clip(
    pages: Pages, searched: tuple[Person, Shown], clip: bytes
) -> None:
    _, shown = searched
    stranger = pages.person(Role.OPERATOR)
    for path in ("", "/clip", "/moment?at=1", "/who.vtt", "/progress", "/copy"):
        assert stranger.see(shown.path + path).status == 404, path
    mine = pages.person(Role.OPERATOR)
    theirs = piece(mine, clip, bytes=str(len(clip))).json()["clip"]
    assert piece(stranger, b"mine now", clip=theirs).status_code == 404
    assert piece(stranger, b"out", clip="../../../etc/passwd").status_code == 404
    fields = {"act": "detect-faces", "clip": theirs, "clip_bytes": str(len(clip))}
    assert stranger.send(stranger.see("/console/video"), "/console/video", fields).status == 404
    auditor = pages.person(Role.AUDITOR)
    assert auditor.see("/console/video").status == 403
    reviewer = pages.person(Role.REVIEWER)
    assert reviewer.see("/console/video").status == 200
    assert reviewer.see(shown.path + "/clip").status == 403


@pytest.mark.parametrize(
    ("fields", "beside"),
    [
        ({"act": "search-people", "collection": ""}, "collection"),
        ({"act": "search-people", "collection": "<script>alert(1)</script>"}, "collection"),
        ({"act": "fly"}, "act"),
        ({"act": "detect-faces", "from": "yesterday"}, "from"),
        ({"act": "detect-faces", "from": "9", "to": "2"}, "to"),
        ({"act": "redact-faces", "whom": "nobody"}, "whom"),
        ({"act": "redact-faces", "whom": "keep", "collection": ""}, "collection"),
    ],
)
def test_what_is_wrong_stands_beside_its_field_and_the_clip_stays(
    pages: Pages, clip: bytes, fields: dict[str, str], beside: str
) -> None:
    person = pages.person(Role.OPERATOR)
    shown = sent(person, clip, **fields)
    assert shown.status in (400, 404), shown.text
    assert f'id="{beside}-wrong"' in shown.html
    assert "<script>alert" not in shown.html
    assert "street.mp4 is sent already" in shown.text


def test_a_form_that_was_refused_is_mended_without_sending_the_clip_again(
    pages: Pages, clip: bytes
) -> None:
    person = pages.person(Role.OPERATOR)
    shown = sent(person, clip, act="detect-faces", **{"from": "soon"})
    mended = person.send(shown, "/console/video", {"act": "detect-faces", "from": "", "to": ""})
    assert "Search for faces" in mended.text
    assert mended.path.startswith("/console/video/jobs/")


def test_no_clip_and_what_is_none_are_said(pages: Pages) -> None:
    person = pages.person(Role.OPERATOR)
    page = person.see("/console/video")
    nothing = person.send(page, "/console/video", {"act": "detect-faces"})
    assert nothing.status == 400
    assert "No clip is chosen" in nothing.text
    shown = done(person, sent(person, b"no clip at all" * 50, act="detect-faces"))
    assert "failed" in shown.text
    assert "Not a clip: the file is" in shown.text
    assert "Do something else with this clip" not in shown.text


def test_a_name_is_text_wherever_it_stands(pages: Pages, clip: bytes) -> None:
    person = pages.person(Role.OPERATOR)
    name = "<img src=x onerror=alert(1)>.mp4"
    shown = done(person, sent(person, clip, name, act="detect-faces"))
    for page in (shown, person.see("/console/video")):
        assert name in page.text
        assert "<img src=x" not in page.html


def test_a_copy_hides_faces_and_lists_where_to_look(pages: Pages, clip: bytes) -> None:
    person = pages.person(Role.OPERATOR)
    shown = done(person, sent(person, clip, act="redact-faces", style="black", whom="all"))
    assert "2 faces were followed and hidden in 30 frames" in shown.text
    copy = person.client.get(f"{shown.path}/copy?save=yes")
    assert copy.headers["content-disposition"].startswith("attachment;")
    assert copy.content[4:8] == b"ftyp"
    moment = person.client.get(f"{shown.path}/copy/moment?at=1.5")
    assert moment.headers["content-type"] == "image/jpeg"
    assert person.see(shown.path, at="1.5").html.count("/copy/moment?at=1.5") == 1


def test_a_copy_that_keeps_some_goes_by_a_collection(pages: Pages, clip: bytes, staff: str) -> None:
    person = pages.person(Role.OPERATOR)
    asked = {"act": "redact-faces", "whom": "keep", "fast": "yes", "collection": staff}
    shown = done(person, sent(person, clip, **asked))
    assert "all but those of the collection's people" in shown.text
    assert "Somebody stays visible" in shown.text
    assert "Rosa" not in shown.text  # no erasure would find the name


def test_a_clip_goes_when_its_owner_says_so(pages: Pages, clip: bytes) -> None:
    person = pages.person(Role.OPERATOR)
    shown = done(person, sent(person, clip, act="detect-faces"))
    kept = len(files_of(pages))
    gone = person.send(shown, f"{shown.path}/remove-clip")
    assert "The clip is deleted" in gone.text
    assert "Person 1" in gone.text
    assert "until the job is deleted" not in shown.text
    assert len(files_of(pages)) == kept - 1
    assert person.see(f"{shown.path}/clip").status == 404


def test_another_job_takes_the_same_clip(searched: tuple[Person, Shown]) -> None:
    person, shown = searched
    again = person.send(shown, f"{shown.path}/again", {"act": "detect-faces"})
    assert again.path != shown.path
    assert "Person 1" in done(person, again).text


def test_progress_is_told_until_the_end(searched: tuple[Person, Shown]) -> None:
    person, shown = searched
    told = person.client.get(f"{shown.path}/progress")
    assert told.headers["content-type"] == "text/event-stream"
    (line,) = [one for one in told.text.splitlines() if one.startswith("data: ")]
    assert json.loads(line.removeprefix("data: "))["ended"] is True


def verdicts(shown: Shown, person: int) -> list[str]:
    """What may be said of a person, by the values of their form."""
    begin = shown.html.index(f'id="verdict-{person}"')
    form = shown.html[begin : shown.html.index("</select>", begin)]
    return [one.partition('"')[0] for one in form.split('value="')[1:]]


def test_who_somebody_is_is_corrected_and_taken_back(pages: Pages, clip: bytes, staff: str) -> None:
    person = pages.person(Role.OPERATOR)
    shown = done(person, sent(person, clip, act="search-people", collection=staff))
    correct = f"{shown.path}/correct"

    def say(verdict: str, number: int = 0) -> Shown:
        csrf = dict(shown.form(correct).fields)["csrf"]
        fields = {"csrf": csrf, "person": str(number), "verdict": verdict}
        return Shown(person.client.post(correct, data=fields))

    named = next(one for one in verdicts(shown, 0) if one.startswith("is:"))
    nobody = say("nobody")
    assert "It is corrected." in nobody.text
    assert "Stranger 2" in nobody.text
    assert "similar to Rosa" in nobody.text
    assert "Rosa: similarity" in say(named).text
    assert "corrected" not in say("found").text.replace("It is corrected.", "")
    joined = say("same:0", 1)
    assert "Stranger 1" not in joined.text
    assert "Person 2 of the clip is somebody else" in joined.html
    assert "Stranger 1" in say("found", 1).text
    for wrong in ("is:00000000-0000-4000-8000-000000000000", "is:x", "same:9", "same:0", "fly"):
        assert say(wrong).status in (400, 404), wrong


@pytest.mark.parametrize("at", ["soon", "-1", "1e9", "nan"])
def test_a_moment_that_is_none_is_refused(searched: tuple[Person, Shown], at: str) -> None:
    person, shown = searched
    assert person.see(shown.path, at=at).status == 400
    assert person.see(f"{shown.path}/moment", at=at).status == 400


def test_a_moment_behind_the_end_is_said(searched: tuple[Person, Shown]) -> None:
    person, shown = searched
    late = person.see(f"{shown.path}/moment", at="500")
    assert late.status == 400
    assert "no frame at this moment" in late.text


def test_a_form_of_a_session_that_is_over_comes_back_with_its_clip(
    pages: Pages, clip: bytes
) -> None:
    person = pages.person(Role.OPERATOR)
    clip_id = piece(person, clip, bytes=str(len(clip))).json()["clip"]
    page = person.see("/console/video")
    person.client.cookies.clear()
    sent_by = {"clip": clip_id, "clip_bytes": str(len(clip)), "clip_name": "late.mp4"}
    asked = person.send(page, "/console/video", {"act": "detect-faces", **sent_by})
    assert asked.status == 401
    draft = dict(asked.form("/console/sign-in").fields)["draft"]
    assert json.loads(draft)["clip"] == [clip_id]


def test_a_live_search_is_no_job_over_a_clip(pages: Pages) -> None:
    person, home = pages.person(Role.OPERATOR), pages.home
    (who,) = (f"key:{one.id}" for one in list_keys(home) if one.name == person.name)
    new = NewJob(LIVE_SEARCH, who, None, b"{}", lasting=True)
    live = home.database.write(lambda c: jobs.add_job(c, home.keyring, new, home.clock()))
    path, page = f"/console/video/jobs/{live.id}", person.see("/console/video")
    fields = dict(page.form("/console/video").fields)
    for part in ("", "/who.vtt", "/clip", "/copy"):
        assert person.see(f"{path}{part}").status == 404
    for part in ("/again", "/correct", "/remove-clip"):
        given = {**fields, "act": "detect-faces", "person": "0", "verdict": "nobody"}
        assert person.client.post(f"{path}{part}", data=given).status_code == 404
    home.database.write(lambda c: jobs.delete_job(c, live.id))


def test_a_search_and_a_source_that_cannot_be_are_refused(pages: Pages) -> None:
    person = pages.person(Role.ADMIN)
    page = person.see("/console/video/live")
    assert person.send(page, "/console/video/live").status == 400
    hours = {"source": "x", "collection": "y", "hours": "soon"}
    refused = person.send(page, "/console/video/live", hours)
    assert 'id="hours-wrong"' in refused.html
    gone = person.send(page, "/console/video/live", {**hours, "hours": "1"})
    assert gone.status == 404
    listed = person.see("/console/video/sources")
    asked = {"name": "no/name", "secret_address": "rtsp://u:p@camera.example/main"}
    assert person.send(listed, "/console/video/sources", asked).status == 400
    inside = {"name": "inside", "secret_address": "rtsp://127.0.0.1/main"}
    assert person.send(listed, "/console/video/sources", inside).status == 400
    outside = {"name": "outside", "secret_address": "rtsp://u:geheim@camera.example/main"}
    added = person.send(listed, "/console/video/sources", outside)
    assert "outside is registered" in added.text
    assert "geheim" not in added.html
    removed = person.send(added, "/console/video/sources/remove", {"source": "outside"})
    assert "outside is removed" in removed.text
    operator = pages.person(Role.OPERATOR)
    assert "Register a camera" not in operator.see("/console/video/sources").text
    assert pages.person(Role.REVIEWER).see("/console/video/live").status == 403
