"""What is in force: rules and the stop switch, the ledger and its receipts, the server's health."""

import json
import time
from collections.abc import Callable
from itertools import count

import pytest

from likeness.access import Grant
from likeness.console.wording import languages
from likeness.policy import shipped
from likeness.secrets import SigningKey
from likeness.server.refusals import Refusal
from likeness.service.enrol.collections import create_collection
from likeness.service.govern import ledger, policy
from likeness.service.govern.keys import create_key, list_keys
from likeness.service.uses import Caller
from likeness.terms import Principal, Role
from tests.console.conftest import PASSWORD, Pages
from tests.console.people import Person, Shown
from tests.rekognition.operations.discs import RED, disc

ROOT = "/console/in-force"
HOSTILE = "<script>alert(1)</script> & 'Co'"
_NUMBERS = count()

Send = Callable[..., Shown]


@pytest.fixture(scope="module")
def admin(pages: Pages) -> Person:
    """An admin who is signed in."""
    return pages.person()


@pytest.fixture(scope="module")
def auditor(pages: Pages) -> Person:
    """An auditor who is signed in."""
    return pages.person(Role.AUDITOR)


@pytest.fixture(scope="module")
def client(pages: Pages) -> Person:
    """A client who is signed in, and may not audit."""
    return pages.person(Role.CLIENT)


@pytest.fixture
def organisation() -> str:
    """An organisation that no other test stops."""
    return f"{HOSTILE} {next(_NUMBERS)}"


def stopped(pages: Pages) -> set[str]:
    """What is stopped now."""
    return {one.subject for one in policy.rules_now(pages.home).suspensions}


def a_receipt(pages: Pages) -> str:
    """Make an entry, and give its receipt."""
    caller = Caller(Principal("local:tests", Role.ADMIN), "CreateAccessKey")
    create_key(pages.home, caller, f"client {next(_NUMBERS)}", Grant(Role.CLIENT))
    receipt_id = caller.proof.receipt
    assert receipt_id is not None
    return pages.home.ledger.receipt(receipt_id).to_json()


def check(person: Person, *texts: str | bytes, **fields: str) -> Shown:
    """Have receipts checked, each as a file."""
    files = [
        ("receipts", (f"{number}.json", text if isinstance(text, bytes) else text.encode()))
        for number, text in enumerate(texts)
    ]
    return person.send(person.see(f"{ROOT}/receipts"), f"{ROOT}/receipts", fields, files)


def test_an_auditor_sees_what_is_in_force_and_changes_nothing(
    auditor: Person, pages: Pages, organisation: str
) -> None:
    shown = auditor.see(ROOT)
    assert "safeguards" in shown.text
    assert [one.action for one in shown.forms] == ["/console/sign-out"]
    sent = dict(shown.form("/console/sign-out").fields)
    asked = {**sent, "scope": "organisation", "subject": organisation, "reason": "none"}
    assert auditor.client.post(f"{ROOT}/suspend", data=asked).status_code == 403
    assert organisation not in stopped(pages)


@pytest.mark.parametrize("path", ["", "/ledger", "/health", "/metrics", "/packs/safeguards"])
def test_who_may_not_audit_sees_none_of_it(client: Person, path: str) -> None:
    assert client.see(f"{ROOT}{path}").status == 403


def test_an_admin_stops_an_organisation_and_lets_it_go_on(
    admin: Person, pages: Pages, organisation: str
) -> None:
    asked = {"scope": "organisation", "subject": organisation, "reason": f"complaint {HOSTILE}"}
    shown = admin.send(admin.see(ROOT), f"{ROOT}/suspend", asked)
    assert organisation in stopped(pages)
    assert organisation in shown.text
    remark = shown.html.partition('<p class="warning" role="status">')[2].partition("</p>")[0]
    assert "nobody is stopped yet" in remark
    assert "<script>alert" not in shown.html
    assert "Suspend" in admin.see(f"{ROOT}/ledger").text
    lift = next(
        one
        for one in shown.forms
        if one.action == f"{ROOT}/resume" and ("subject", organisation) in one.fields
    )
    sent = admin.client.post(lift.action, data=dict(lift.fields))
    assert sent.status_code == 200
    assert organisation not in stopped(pages)


def test_everything_is_stopped_once_somebody_is_sure_and_every_page_says_so(
    admin: Person, client: Person, pages: Pages
) -> None:
    asked = {"scope": "all", "subject": "", "reason": "a drill"}
    sure = admin.send(admin.see(ROOT), f"{ROOT}/suspend", asked)
    assert sure.path == f"{ROOT}/everything"
    assert "Stop everything?" in sure.text
    assert "" not in stopped(pages)
    again = admin.see(sure.path)  # as whoever comes back to it does
    assert dict(again.form(sure.path).fields)["reason"] == "a drill"
    try:
        told = admin.send(again, sure.path)
        assert "Stopped: Everything." in told.text
        assert "" in stopped(pages)
        until_s = time.monotonic() + 10
        while "Some uses are stopped" not in (account := admin.see("/console/account")).text:
            assert time.monotonic() < until_s, "no page says so"
            time.sleep(0.1)
        assert ROOT in account.links
        assert "Some uses are stopped" not in client.see("/console/account").text
        for person, said in ((admin, "In force says what is stopped"), (client, "Ask an admin")):
            files = {"picture": ("a.png", disc(RED))}
            page = person.see("/console/try")
            # Other programs' changes are in force within a second, and so is this.
            while (refused := person.send(page, "/console/try", files=files)).status == 200:
                assert time.monotonic() < until_s, "it is not refused"
            assert refused.status == 403
            assert said in refused.text, refused.text
            assert "likeness policy" not in refused.text
    finally:
        caller = Caller(Principal("local:tests", Role.ADMIN), "Resume")
        for one in policy.rules_now(pages.home).suspensions:
            policy.resume(pages.home, caller, one.scope, one.subject)
    until_s = time.monotonic() + 10
    while "Some uses are stopped" in admin.see("/console/account").text:
        assert time.monotonic() < until_s, "it is said still"
        time.sleep(0.1)


def test_errors_lead_to_pages_and_not_to_commands(admin: Person, auditor: Person) -> None:
    unknown = admin.see("/console/review/00000000-0000-4000-8000-000000000000")
    assert "or it has ended. The page Review shows what there is." in unknown.text
    assert "/console/review" in unknown.links
    entry = auditor.see(f"{ROOT}/ledger", about="00000000-0000-4000-8000-000000000000")
    assert "The page Ledger shows the newest." in entry.text
    assert "`likeness" not in unknown.text + entry.text


def test_every_reason_of_a_refusal_has_words() -> None:
    for reason in Refusal:
        assert languages()["en"](f"in_force.reasons.{reason.value}")


def test_a_collection_is_stopped_by_its_name(admin: Person, auditor: Person, pages: Pages) -> None:
    name = f"stopped-{next(_NUMBERS)}"
    caller = Caller(Principal("local:tests", Role.ADMIN), "CreateCollection")
    made = create_collection(pages.home, caller, name)
    asked = {"scope": "collection", "subject": name, "reason": "complaint"}
    shown = admin.send(admin.see(ROOT), f"{ROOT}/suspend", asked)
    assert f"Collection: {name}" in shown.text
    assert str(made.id) in stopped(pages)
    assert name not in auditor.see(ROOT).text


def test_a_form_that_is_sent_twice_stops_once(admin: Person, organisation: str) -> None:
    page = admin.see(ROOT)
    asked = {"scope": "organisation", "subject": organisation, "reason": "complaint"}
    first, second = (admin.send(page, f"{ROOT}/suspend", asked) for _ in range(2))
    assert first.status == second.status == 200
    assert "Already" not in second.text


def test_what_was_to_be_stopped_comes_back_after_the_session_was_over(
    pages: Pages, organisation: str
) -> None:
    person = pages.person()
    asked = {"scope": "organisation", "subject": organisation, "reason": "complaint"}
    page = person.see(ROOT)
    person.client.cookies.clear()
    over = person.send(page, f"{ROOT}/suspend", asked)
    assert over.status == 401
    assert organisation not in stopped(pages)
    again = person.send(over, "/console/sign-in", {"name": person.name, "secret": PASSWORD})
    assert asked.items() <= dict(again.form(f"{ROOT}/suspend").fields).items()
    person.send(again, f"{ROOT}/suspend")
    assert organisation in stopped(pages)


@pytest.mark.parametrize(
    ("asked", "field", "says"),
    [
        ({"scope": "organisation", "reason": "why"}, "subject", "No name is given"),
        ({"scope": "all", "subject": "somebody", "reason": "why"}, "subject", "needs no name"),
        ({"scope": "purpose", "subject": "flying", "reason": "why"}, "subject", "No such purpose"),
        ({"scope": "collection", "subject": "x", "reason": "why"}, "subject", "No such collection"),
        ({"scope": "organisation", "subject": "x" * 300, "reason": "why"}, "subject", "at most"),
        ({"scope": "organisation", "subject": "x", "reason": ""}, "reason", "Not a reason"),
        ({"scope": "organisation", "subject": "x", "reason": "y" * 2000}, "reason", "at most"),
        ({"scope": "organisation", "subject": "x", "reason": "a\nb"}, "reason", "one line"),
        ({"scope": "the moon", "subject": "x", "reason": "why"}, "scope", "Choose one"),
    ],
)
def test_what_cannot_be_stopped_is_said_beside_the_field(
    admin: Person, pages: Pages, asked: dict[str, str], field: str, says: str
) -> None:
    before = stopped(pages)
    shown = admin.send(admin.see(ROOT), f"{ROOT}/suspend", asked)
    assert shown.status in (400, 404)
    beside = shown.html.partition(f'id="{field}-wrong">')[2].partition("</span>")[0]
    assert says in beside
    kept = dict(shown.form(f"{ROOT}/suspend").fields)
    assert kept["subject"] == asked.get("subject", "")
    assert stopped(pages) == before


def test_every_pack_has_a_page(admin: Person) -> None:
    for name, pack in shipped().items():
        shown = admin.see(f"{ROOT}/packs/{name}")
        assert shown.status == 200
        assert pack.rules[0].rule.id in shown.text
    assert admin.see(f"{ROOT}/packs/none-such").status == 404


def test_the_ledger_is_read_page_by_page_and_entry_by_entry(auditor: Person, pages: Pages) -> None:
    for _ in range(51):
        a_receipt(pages)
    first = auditor.see(f"{ROOT}/ledger")
    numbers = [one for one in first.links if one.startswith(f"{ROOT}/ledger/entries/")]
    assert len(numbers) == 50
    older = next(one for one in first.links if "before=" in one)
    second = auditor.see(older.partition("?")[0], before=older.rpartition("=")[2])
    assert set(numbers).isdisjoint(second.links)
    entry = auditor.see(numbers[0])
    receipt = next(one for one in entry.links if one.startswith(f"{ROOT}/receipts/"))
    written = auditor.client.get(receipt)
    assert "attachment" in written.headers["content-disposition"]
    shown = check(auditor, written.content)
    assert "It holds." in shown.text
    found = auditor.see(f"{ROOT}/ledger", about=receipt.rpartition("/")[2])
    assert numbers[0] in found.links


@pytest.mark.parametrize("query", [{"about": HOSTILE}, {"about": "999999"}, {"before": "x" * 200}])
def test_what_is_no_entry_is_said_beside_the_field(auditor: Person, query: dict[str, str]) -> None:
    shown = auditor.see(f"{ROOT}/ledger", **query)
    assert shown.status == 404
    assert 'id="about-wrong"' in shown.html
    assert "<script>alert" not in shown.html


def test_an_admin_reads_whose_key_it_was_and_an_auditor_does_not(
    admin: Person, auditor: Person, pages: Pages
) -> None:
    asked = {"scope": "organisation", "subject": f"some {next(_NUMBERS)}", "reason": "complaint"}
    admin.send(admin.see(ROOT), f"{ROOT}/suspend", asked)
    # The server may have done something of its own since.
    newest = reversed(ledger.last_entries(pages.home, 20))
    line = next(one for one in newest if one.entry.use.operation == "Suspend")
    by = line.entry.use.principal.id
    (name,) = (one.name for one in list_keys(pages.home) if f"key:{one.id}" == by)
    path = f"{ROOT}/ledger/entries/{line.index}"
    assert f"{name} {by}" in admin.see(path).text
    assert by in auditor.see(path).text
    assert f"{name} {by}" not in auditor.see(path).text


def test_a_receipt_that_was_changed_proves_nothing(auditor: Person, pages: Pages) -> None:
    person, receipt = auditor, json.loads(a_receipt(pages))
    assert "It holds." in check(person, json.dumps(receipt)).text
    assert "It holds." in check(person, pasted=json.dumps(receipt)).text
    forged = {**receipt, "entry": receipt["entry"].replace("local:tests", HOSTILE)}
    for wrong in (json.dumps(forged), "{}", HOSTILE, b"\xff\xfe", b"\0" * 2_000_000):
        shown = check(person, wrong)
        assert shown.status == 200
        assert "It proves nothing." in shown.text
        assert "It holds." not in shown.text
    several = check(person, json.dumps(receipt), "{}")
    assert "It holds." in several.text
    assert "It proves nothing." in several.text


def test_a_proof_of_growth_is_checked_too(client: Person, pages: Pages) -> None:
    a_receipt(pages)
    old = pages.home.ledger.checkpoint()
    a_receipt(pages)
    proof = pages.home.ledger.growth(old).to_json()
    assert "only grew from" in check(client, proof).text


def test_receipts_are_checked_by_a_key_that_was_kept_elsewhere(
    client: Person, pages: Pages
) -> None:
    person, receipt = client, a_receipt(pages)
    page = person.see(f"{ROOT}/receipts")
    own = ledger.public_key(pages.home).key.pem
    others = SigningKey.new().verifying_key.pem
    for key, says in ((own, "It holds."), (others, "It proves nothing.")):
        files = {"receipts": ("r.json", receipt.encode()), "key": ("key.pem", key.encode())}
        shown = person.send(page, f"{ROOT}/receipts", files=files)
        assert says in shown.text
        assert "vouches for itself. Bring" not in shown.text
    files = {"receipts": ("r.json", receipt.encode()), "key": ("key.pem", b"no key")}
    assert 'id="key-wrong"' in person.send(page, f"{ROOT}/receipts", files=files).html


def test_nothing_and_too_much_to_check_is_said_beside_the_field(client: Person) -> None:
    for texts in ((), ("{}",) * 21):
        shown = check(client, *texts)
        assert shown.status == 400
        assert 'id="receipts-wrong"' in shown.html


def test_somebody_elses_receipt_is_given_to_nobody_but_auditors(
    client: Person, auditor: Person, pages: Pages
) -> None:
    a_receipt(pages)
    (entry,) = ledger.last_entries(pages.home, 1)
    path = f"{ROOT}/receipts/{entry.receipt_id}"
    assert client.client.get(path).status_code == 404
    assert auditor.client.get(path).status_code == 200
    assert auditor.client.get(f"{ROOT}/receipts/none").status_code == 400


def test_the_whole_ledger_is_verified_on_a_page(auditor: Person) -> None:
    kept = auditor.client.get(f"{ROOT}/ledger/checkpoint").content
    page, action = auditor.see(f"{ROOT}/ledger"), f"{ROOT}/ledger/verify"
    sent = auditor.send(page, action, files={"kept": ("c", kept)})
    assert "The ledger holds" in auditor.until_done(sent).text
    key = auditor.client.get(f"{ROOT}/ledger/key").content
    sent = auditor.send(auditor.see(f"{ROOT}/ledger"), action, files={"key": ("k", key)})
    assert "The ledger holds" in auditor.until_done(sent).text
    assert "it came from the ledger itself" not in auditor.until_done(sent).text
    page = auditor.see(f"{ROOT}/ledger")
    for field in ("kept", "key"):
        wrong = auditor.send(page, action, files={field: ("c", b"nothing of ours")})
        assert f'id="{field}-wrong"' in wrong.html


def test_health_says_what_is_looked_at(auditor: Person) -> None:
    shown = auditor.see(f"{ROOT}/health")
    for subject in ("database", "ledger", "disk", "detector", "recogniser"):
        assert subject in shown.text
    everything = auditor.until_done(auditor.send(shown, f"{ROOT}/health/all"))
    assert everything.status == 200
    assert "every row can be read" in everything.text
    assert "every row can be read" in auditor.see(f"{ROOT}/health/all").text


def test_metrics_say_what_was_counted(auditor: Person) -> None:
    auditor.see(ROOT)
    assert "GET /console/in-force" in auditor.see(f"{ROOT}/metrics").text


def test_whoever_used_it_gets_the_receipt_that_their_page_shows(
    client: Person, pages: Pages
) -> None:
    shown = client.see("/console/collections/no-such-collection")
    receipt = next(one for one in shown.links if one.startswith(f"{ROOT}/receipts/"))
    given = client.client.get(receipt)
    assert given.status_code == 200
    assert "It holds." in check(client, given.content).text
