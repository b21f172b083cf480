"""Review without a script: the probe first, then each candidate, each reviewer by themselves."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from likeness.access import keys
from likeness.console.wording import languages
from likeness.errors import Conflict, NotFound
from likeness.review import ProbeNote, Suitability
from likeness.service.govern.ledger import last_entries
from likeness.service.review import cases
from likeness.service.review.compare import note_probe, show_pair, show_regions
from likeness.service.uses import Caller
from likeness.terms import GroupWarning, Principal, Role
from tests.cli.conftest import ship_standards
from tests.console.cases import (
    NEARLY_RED,
    NOTE,
    Desk,
    decide,
    note,
    path_of,
    pictures_of,
    reviewing,
)
from tests.console.conftest import PASSWORD
from tests.rekognition.operations.discs import GREEN, RED

T = languages()["en"]
SCRIPT = "<script>alert(1)</script>"


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A server whose reviewers see no score before they decide."""
    shipped = ship_standards(tmp_path_factory.mktemp("shipped"))
    folder = tmp_path_factory.mktemp("home")
    with reviewing(folder, shipped, review_scores="hidden") as desk:
        yield desk


def test_a_reviewer_notes_the_probe_then_compares_then_decides(desk: Desk) -> None:
    case = desk.open(RED)
    ada = desk.reviewer()
    queue = ada.see("/console/review")
    assert path_of(case) in queue.links
    probe = ada.see(path_of(case))
    assert pictures_of(probe) == 2  # level, and as it is kept
    assert "Candidate 1" not in probe.text
    compared = note(ada, case)
    assert compared.path == path_of(case, 1)
    assert pictures_of(compared) == 6
    assert "similarity" not in compared.text
    after = decide(ada, case)
    assert after.path == path_of(case)
    assert str(T("review.given.confirmed", number=1)) in after.text
    assert "a notch in the left ear" in after.text
    assert desk.standings(case) == ["confirmed"]
    seen = ada.see(path_of(case, 1))
    assert "number 1 by similarity, with 99.50 of 100" in seen.text
    assert "for the same person" in seen.text
    assert {"NoteProbe", "ShowFace", "DecideCase"} <= set(desk.operations(case))


def test_the_ledger_counts_the_faces_that_were_shown(desk: Desk) -> None:
    case = desk.open(RED)
    desk.reviewer().see(path_of(case))
    look = next(
        one.entry for one in last_entries(desk.home, 10) if one.entry.use.operation == "ShowFace"
    )
    assert str(look.counts["faces"]) == "1"
    ledger = desk.reviewer(Role.AUDITOR).see("/console/in-force/ledger")
    assert "faces 1" in ledger.text
    assert "True" not in ledger.text


def test_features_come_before_the_button_that_needs_one(desk: Desk) -> None:
    shown = desk.reviewer().see(path_of(desk.open(RED)))
    features, button = (
        shown.html.index(str(T(name))) for name in ("review.features", "review.keep_note")
    )
    assert features < button
    assert "At least one is needed" in shown.text


def test_a_warning_of_a_group_is_said_of_the_model_and_of_nobody_who_is_shown(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = desk.open(RED)
    ada = desk.reviewer()
    note(ada, case)
    show = cases.show_case
    warning = GroupWarning("Indian women", 0.04, 0.03, 0.05, 0.001, 10.0, 1)
    monkeypatch.setattr(
        cases, "show_case", lambda *given: replace(show(*given), group_warning=warning)
    )
    shown = ada.see(path_of(case))
    measured = "When the model was measured, strangers of the group Indian women looked alike to it"
    assert f"{measured} 40 times as often as was asked for." in shown.text
    assert "That says nothing about the people in this case." in shown.text


def test_no_candidate_is_shown_before_the_probe_is_noted(desk: Desk) -> None:
    case = desk.open(RED)
    ada = desk.reviewer()
    for path in (path_of(case, 1), path_of(case, 1, "regions")):
        shown = ada.see(path)
        assert shown.path == path_of(case)
        assert str(T("review.note_first")) in shown.text
        assert "Candidate 1" not in shown.text


def test_the_act_itself_shows_no_candidate_before_the_note(desk: Desk) -> None:
    case = desk.open(RED)
    who = Principal("key:ada", Role.REVIEWER)
    for act in (show_pair, show_regions):
        with pytest.raises(Conflict, match="Note the features"):
            act(desk.home, Caller(who, "ShowFace"), case.id, 1)
    note_probe(desk.home, Caller(who, "NoteProbe"), case.id, ProbeNote(Suitability.POOR))
    pair = show_pair(desk.home, Caller(who, "ShowFace"), case.id, 1)
    assert pair.probe is not None
    assert pair.probe.level_jpeg is not None
    with pytest.raises(NotFound):
        show_pair(desk.home, Caller(who, "ShowFace"), case.id, 2)


def test_a_note_of_a_picture_that_is_not_kept_is_refused(desk: Desk) -> None:
    case = desk.open(RED, keeps_probe=False)
    with pytest.raises(NotFound, match="No picture"):
        note_probe(
            desk.home,
            Caller(Principal("key:ada", Role.REVIEWER), "NoteProbe"),
            case.id,
            ProbeNote(Suitability.POOR),
        )


def test_names_that_are_scripts_are_text(desk: Desk) -> None:
    case = desk.open(RED)
    ada = desk.reviewer()
    note(ada, case, remark=SCRIPT)
    shown = decide(ada, case, reason=SCRIPT)
    assert SCRIPT not in shown.html
    assert SCRIPT not in ada.see(path_of(case, 1)).html
    assert SCRIPT in shown.text


def test_a_note_says_something_and_is_kept_once(desk: Desk) -> None:
    case = desk.open(RED)
    ada = desk.reviewer()
    path = path_of(case)
    empty = ada.send(ada.see(path), path)
    assert (empty.status, "how well this picture" in empty.text) == (400, True)
    nothing_seen = ada.send(ada.see(path), path, {"suitability": "good", "remark": "an ear"})
    assert (nothing_seen.status, "No feature is noted" in nothing_seen.text) == (400, True)
    assert ">an ear</textarea>" in nothing_seen.html
    too_long = note(ada, case, remark="x" * 2001)
    assert (too_long.status, "at most 2000" in too_long.text) == (400, True)
    unknown = note(ada, case, **{"feature-eyes": SCRIPT})
    assert unknown.status == 400
    assert SCRIPT not in unknown.html
    first = ada.see(path)
    assert note(ada, case).status == 200
    again = ada.send(first, path, NOTE)
    assert (again.status, "already" in again.text) == (409, True)


def test_a_poor_picture_needs_no_feature(desk: Desk) -> None:
    case = desk.open(RED)
    ada = desk.reviewer()
    path = path_of(case)
    shown = ada.send(ada.see(path), path, {"suitability": "poor"})
    assert shown.path == path_of(case, 1)


def test_the_ledger_tells_no_verdict_to_who_has_to_give_one(desk: Desk) -> None:
    case = desk.open(RED, reviews=2)
    ada, ben = (desk.reviewer(Role.OPERATOR) for _ in range(2))
    for person in (ada, ben):
        note(person, case)
    decide(ada, case)
    entry = next(
        one for one in last_entries(desk.home, 10) if one.entry.use.operation == "DecideCase"
    )
    paths = [
        f"/console/in-force/ledger/entries/{entry.index}",
        f"/console/in-force/receipts/{entry.receipt_id}",
    ]
    for path in paths:
        assert ada.client.get(path).status_code == 200
        assert desk.reviewer(Role.AUDITOR).client.get(path).status_code == 200
        refused = ben.client.get(path)
        assert refused.status_code == 409
        assert "not-same" not in refused.text
        assert '"same"' not in refused.text
    decide(ben, case)
    for path in paths:
        assert ben.client.get(path).status_code == 200


def test_a_second_reviewer_is_blind_to_the_first_and_a_third_settles_it(desk: Desk) -> None:
    case = desk.open(RED, reviews=2, separately=True)
    ada, ben, cem, dee = (desk.reviewer() for _ in range(4))
    for person in (ada, ben, cem):
        note(person, case)
    decide(ada, case, reason="the ear of ada")
    assert "the ear of ada" not in ben.see(path_of(case, 1)).text
    decide(ben, case, support="different", reason="the nose of ben")
    for path in (path_of(case), path_of(case, 1)):
        assert "of ada" not in cem.see(path).text
        assert "of ben" not in cem.see(path).text
    assert "the nose of ben" not in ada.see(path_of(case, 1)).text
    assert desk.standings(case) == ["open"]
    decided = decide(cem, case, reason="the brow of cem")
    assert "the ear of ada" in decided.text
    assert desk.standings(case) == ["confirmed"]
    late = dee.see(path_of(case, 1))
    assert "the nose of ben" in late.text
    assert not [one for one in late.forms if one.action == path_of(case, 1)]


def test_limited_support_settles_nothing(desk: Desk) -> None:
    case = desk.open(RED)
    ada, ben = desk.reviewer(), desk.reviewer()
    note(ada, case)
    shown = decide(ada, case, support="barely-same")
    assert str(T("review.given.open", number=1)) in shown.text
    note(ben, case)
    decide(ben, case, support="strongly-different")
    assert desk.standings(case) == ["rejected"]


def test_a_verdict_needs_a_scale_a_feature_and_a_reason_and_keeps_what_was_typed(
    desk: Desk,
) -> None:
    case = desk.open(RED)
    ada = desk.reviewer()
    note(ada, case)
    path = path_of(case, 1)
    page = ada.see(path)
    for fields, said in (
        ({"reason": "typed"}, "how strongly"),
        ({"reason": "typed", "support": SCRIPT}, "how strongly"),
        ({"reason": "typed", "support": "same"}, "No feature is compared"),
        ({"support": "same", "feature-eyes": "alike"}, "No reason"),
        ({"support": "same", "feature-eyes": "alike", "reason": "x" * 2001}, "2001 characters"),
    ):
        shown = ada.send(page, path, fields)
        assert (shown.status, said in shown.text) == (400, True)
        if fields.get("reason") == "typed":
            assert ">typed</textarea>" in shown.html
    assert desk.standings(case) == ["open"]


def test_two_reviewers_at_once_and_a_verdict_sent_twice(desk: Desk) -> None:
    case = desk.open(RED)
    ada, ben = desk.reviewer(), desk.reviewer()
    for person in (ada, ben):
        note(person, case)
    path = path_of(case, 1)
    pages = [person.see(path) for person in (ada, ben)]
    fields = {"support": "same", "feature-eyes": "alike", "reason": "the eyes"}
    assert ada.send(pages[0], path, fields).status == 200
    twice = ada.send(pages[0], path, fields)
    assert (twice.status, twice.path) == (200, path_of(case))
    late = ben.send(pages[1], path, {**fields, "reason": "the eyes of ben"})
    assert (late.status, "nobody else is asked" in late.text) == (409, True)
    assert desk.standings(case) == ["confirmed"]


def test_a_verdict_of_a_session_that_is_over_is_a_draft(desk: Desk) -> None:
    case = desk.open(RED)
    name = desk.pages.make(Role.REVIEWER)
    ada = desk.pages.stranger()
    ada.sign_in(name, PASSWORD)
    note(ada, case)
    path = path_of(case, 1)
    page = ada.see(path)
    ada.client.cookies.clear()
    fields = {"support": "same", "feature-eyes": "alike", "reason": "the eyes, at length"}
    over = ada.send(page, path, fields)
    assert over.status == 401
    back = ada.send(over, "/console/sign-in", {"name": name, "secret": PASSWORD})
    assert back.path == path
    assert ">the eyes, at length</textarea>" in back.html
    assert desk.standings(case) == ["open"]
    assert ada.send(back, path).status == 200
    assert desk.standings(case) == ["confirmed"]


def test_who_searched_sees_no_face(desk: Desk) -> None:
    name = desk.pages.make(Role.ADMIN)
    ada = desk.pages.stranger()
    ada.sign_in(name, PASSWORD)
    key = next(one.principal.id for one in desk.home.database.read(keys.every) if one.name == name)
    case = desk.open(RED, by=key)
    shown = ada.see(path_of(case))
    assert pictures_of(shown) == 0
    assert str(T("review.state.own")) in shown.text
    assert ada.see(path_of(case, 1)).status == 403


def test_regions_are_shown_and_what_was_typed_stays(desk: Desk) -> None:
    case = desk.open(NEARLY_RED)
    ada = desk.reviewer()
    note(ada, case)
    page = ada.see(path_of(case, 1))
    typed = {"support": "same", "reason": "typed before", "feature-eyes": "alike"}
    data = {**typed, **dict(page.form(path_of(case, 1)).fields), **typed}
    sent = ada.client.post(path_of(case, 1, "regions"), data=data)
    assert sent.status_code == 200
    assert '<rect x="' in sent.text
    assert str(T("review.regions")) in sent.text
    assert ">typed before</textarea>" in sent.text
    assert 'value="same" checked' in sent.text
    assert "ShowRegions" in desk.operations(case)
    assert desk.standings(case) == ["open"]


def test_without_a_picture_only_cannot_tell_is_offered(desk: Desk) -> None:
    case = desk.open(RED, keeps_probe=False)
    ada = desk.reviewer()
    shown = ada.see(path_of(case, 1))
    assert str(T("review.no_picture")) in shown.text
    assert 'value="strongly-same"' not in shown.html
    decide(ada, case, support="neither", reason="there is no picture")
    assert desk.standings(case) == ["open"]


def test_pictures_of_exploitation_open_blurred(desk: Desk) -> None:
    case = desk.open(RED, purpose="exploited-children")
    ada = desk.reviewer()
    blurred = ada.see(path_of(case))
    assert str(T("review.blurred")) in blurred.text
    plain = ada.see(path_of(case), unblurred="yes")
    assert str(T("review.unblurred")) in plain.text
    assert _first_picture(plain.html) != _first_picture(blurred.html)
    sent = ada.send(plain, f"{path_of(case)}?unblurred=yes", NOTE)
    assert str(T("review.unblurred")) in sent.text


def test_an_admin_records_a_consent(desk: Desk) -> None:
    case = desk.open(GREEN, probe=GREEN, authorisation_hours=48)
    reviewer, admin = desk.reviewer(), desk.reviewer(Role.ADMIN)
    note(reviewer, case)
    assert not any(one.action.endswith("consent") for one in reviewer.see(path_of(case)).forms)
    note(admin, case)
    path = path_of(case, "consent")
    empty = admin.send(admin.see(path_of(case)), path)
    assert (empty.status, "Not an authority" in empty.text) == (400, True)
    given = {"authority": "District court", "number": "12 X 7/26"}
    assert "District court, 12 X 7/26" in admin.send(admin.see(path_of(case)), path, given).text


@pytest.mark.parametrize("role", [Role.AUDITOR, Role.CLIENT])
def test_who_may_not_review_sees_nothing(desk: Desk, role: Role) -> None:
    case = desk.open(RED)
    person = desk.reviewer(role)
    for path in ("/console/review", path_of(case), path_of(case, 1)):
        shown = person.see(path)
        assert (shown.status, pictures_of(shown)) == (403, 0)


def test_what_is_not_there_is_said(desk: Desk) -> None:
    ada = desk.reviewer()
    case = desk.open(RED)
    note(ada, case)
    for path in (
        "/console/review/00000000-0000-4000-8000-000000000000",
        "/console/review/no-id",
        path_of(case, 7),
        path_of(case, 9**40),
    ):
        assert ada.see(path).status == 404
    assert ada.see("/console/review", page="-1").status == 200
    assert ada.see("/console/review", page="9" * 30).status == 200


def _first_picture(html: str) -> str:
    return html.partition("data:image/jpeg;base64,")[2].partition('"')[0]
