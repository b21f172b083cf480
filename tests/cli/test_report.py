"""`likeness report`: cards are signed, checked anywhere, compared, and count once accepted."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from likeness.ledger.tables import ENTRIES
from likeness.policy.tables import EVIDENCE
from likeness.secrets import SigningKey
from likeness.service.evaluate.cards.signed_card import (
    encoded_for_signing,
    envelope_of,
    read_signed_card,
)
from likeness.service.evaluate.findings import to_json
from tests.service.evaluate.report_of_a_test import findings, report
from tests.service.evaluate.test_nist_form import FORM

from .conftest import RED
from .staff import Command, Make, employ, home

VIRGINIA = ("LIKENESS_SECTOR", "police"), ("LIKENESS_JURISDICTION", "US-VA")
TODAY = datetime.now(UTC).date()


@pytest.fixture
def written(likeness: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    """The command, beside a report and a later one."""
    monkeypatch.chdir(tmp_path)
    Path("report.json").write_bytes(to_json(report()))
    Path("later.json").write_bytes(to_json(report(findings(errors=60))))
    return likeness


def answer(outcome: Any, code: int = 0) -> Any:
    assert outcome.code == code, outcome.err
    return json.loads(outcome.out)


def last_entry() -> dict[str, Any]:
    with home() as opened:
        rows = opened.database.read(lambda connection: connection.execute(ENTRIES.select()).all())
    return json.loads(max(rows, key=lambda row: row.position).entry)


def model_of(likeness: Command, collection: str = "staff") -> str:
    return answer(likeness("collections", "show", collection, "--json"))["model"]


def form(model: str, rate: str = "0.0123", published: str = TODAY.isoformat()) -> None:
    text = FORM.replace('"NAME"', json.dumps(model)).replace("0.0123", rate)
    Path("form.toml").write_text(text.replace("2026-05-03", published))
    Path("page.html").write_bytes(b"what NIST published")


def nist(likeness: Command, model: str, **changed: str) -> Any:
    form(model, **changed)
    return likeness("report", "nist", "form.toml", "--document", "page.html", "--out", "nist.json")


def key_file(likeness: Command) -> str:
    Path("key.pem").write_text(answer(likeness("ledger", "key", "--json"))["pem"])
    return "key.pem"


def test_a_signed_card_is_in_the_ledger_and_holds_anywhere(
    written: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    given = answer(written("report", "sign", "report.json", "--out", "card.json", "--json"))
    entry = last_entry()
    assert (entry["kind"], entry["action"], entry["operation"]) == ("done", "audit", "report sign")
    assert entry["details"]["card"] == given["card"]
    assert written("ledger", "receipt", given["receipt"], "--out", "receipt.json").code == 0
    key = key_file(written)
    monkeypatch.setenv("LIKENESS_HOME", str(tmp_path / "elsewhere"))
    checked = written("report", "verify", "card.json", "--key", key, "--report", "report.json")
    assert checked.code == 0
    assert "1:1 FNMR at FMR 0.0001: 0.03" in checked.out
    assert "more figures and" in checked.out and "likeness report show card.json" in checked.out
    assert len(checked.out) < len(written("report", "show", "card.json").out)
    assert not (tmp_path / "elsewhere").exists()
    other = written("report", "verify", "card.json", "--key", key, "--report", "later.json")
    assert other.code == 1
    assert "of another report" in other.out


def test_without_a_key_a_card_is_checked_with_this_homes(written: Command) -> None:
    assert written("report", "sign", "report.json", "--out", "card.json").code == 0
    assert "vouches for itself" in written("report", "verify", "card.json").out
    assert written("ledger", "new-key", "--yes").code == 0
    held = answer(written("report", "verify", "card.json", "--json"), code=1)
    assert "did not sign" in held["problem"]


def test_a_card_without_a_home_asks_for_the_key(written: Command) -> None:
    written("report", "sign", "report.json", "--out", "card.json")
    changed = json.loads(Path("card.json").read_text())
    changed["payload"] = changed["payload"][:-8] + "AAAAAAA="
    Path("forged.json").write_text(json.dumps(changed))
    outcome = written("report", "verify", "forged.json", "--key", key_file(written))
    assert outcome.code in (1, 2)
    Path("cut.json").write_bytes(Path("card.json").read_bytes()[:500])
    assert written("report", "verify", "cut.json").code == 2


@pytest.mark.parametrize("number", [None, "NaN", "Infinity", "-1e999"])
def test_what_is_no_report_is_not_signed(written: Command, number: str | None) -> None:
    report = Path("report.json").read_text()
    assert '"value": 0.03' in report
    text = "{}" if number is None else report.replace('"value": 0.03', f'"value": {number}')
    Path("notes.json").write_text(text)
    outcome = written("report", "sign", "notes.json", "--out", "card.json")
    assert outcome.code == 2
    assert "Not a report of Likeness" in outcome.err
    assert not Path("card.json").exists()
    assert last_entry()["kind"] == "failed"


def test_a_report_is_compared_with_a_later_one(written: Command) -> None:
    assert written("report", "sign", "report.json", "--out", "card.json").code == 0
    compared = answer(written("report", "compare", "card.json", "later.json", "--json"))
    (system,) = compared["systems"]
    figures = {one["figure"]: one for one in system["figures"]}
    changed = figures["1:1 FNMR at FMR 0.0001"]
    assert (changed["old"]["value"], changed["new"]["value"]) == (0.03, 0.06)
    assert changed["apart"]
    assert not figures["failure to acquire"]["apart"]
    assert system["same_data"]
    said = written("report", "compare", "card.json", "later.json").out
    assert "CHANGED beyond both intervals" in said
    assert written("report", "compare", "card.json", "later.json", "--html", "page.html").code == 0
    page = Path("page.html").read_text()
    assert "1:1 FNMR at FMR 0.0001" in page
    assert "likeness report verify" in page
    assert "No figure changed" in written("report", "compare", "card.json", "report.json").out


def test_a_report_is_shown_as_its_card_is(written: Command) -> None:
    written("report", "sign", "report.json", "--out", "card.json")
    of_card = answer(written("report", "show", "card.json", "--json"))
    of_report = answer(written("report", "show", "report.json", "--json"))
    assert of_card["says"] == of_report["says"]
    assert (of_card["signed"], of_report["signed"]) == (True, False)


# Evidence.


@pytest.mark.slow
def test_police_of_virginia_need_an_accepted_card(
    written: Command, picture: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    employ(written, picture)
    probe = picture("probe.png", RED)
    for name, value in VIRGINIA:
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("LIKENESS_PURPOSE", "missing-persons")
    assert written("policy", "disable", "amazon-2020").code == 0
    assert written("policy", "enable", "virginia-2022", "--choice", "ends=2099-07-01").code == 0
    search = ("identify", "--collection", "staff", probe)
    explained = ("policy", "explain", "--action", "search", "--collection", "staff")
    explained = (*explained, "--sector", "police", "--jurisdiction", "US-VA")
    explained = (*explained, "--purpose", "missing-persons")
    refused = written(*search)
    assert refused.code == 1
    assert "virginia-2022-nist-test" in refused.err
    assert written(*explained).code == 1
    assert nist(written, model_of(written)).code == 0
    assert "virginia-2022-nist-test" in written(*search).err  # signed, and not accepted yet
    accepted = answer(written("report", "accept", "nist.json", "--json"))
    assert accepted["true_positives"] == "98.77"
    assert last_entry()["details"]["true_positives"] == "98.77"
    assert "virginia-2022" not in written(*search).err
    assert last_entry()["rules"]["true_positives"] == "98.77"
    assert written(*explained).code == 0
    # What was known then is asked again; disabled, the rules still say it of uses before the card.
    simulated = answer(written("policy", "simulate", "--disable", "virginia-2022", "--json"))
    assert {one["operation"] for one in simulated["differences"]} == {"identify"}
    same = answer(
        written("policy", "simulate", "--choice", "virginia-2022.ends=2098-07-01", "--json")
    )
    assert not [one for one in same["differences"] if one["operation"] == "identify"]
    assert written("report", "revoke", accepted["id"]).code == 0
    assert "virginia-2022-nist-test" in written(*search).err
    assert answer(written("report", "list", "--json"))["cards"] == []


@pytest.mark.slow
def test_a_card_below_98_percent_counts_and_is_not_enough(
    written: Command, picture: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    employ(written, picture)
    nist(written, model_of(written), rate="0.02001")
    assert answer(written("report", "accept", "nist.json", "--json"))["true_positives"] == "97.999"
    written("policy", "disable", "amazon-2020")
    written("policy", "enable", "virginia-2022", "--choice", "ends=2099-07-01")
    for name, value in VIRGINIA:
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("LIKENESS_PURPOSE", "missing-persons")
    probe = picture("probe.png", RED)
    assert "nist-test" in written("identify", "--collection", "staff", probe).err


REFUSED: dict[str, tuple[Callable[[Command, str], Any], list[str], str]] = {
    "of a model that is not used": (
        lambda likeness, model: nist(likeness, "another@1"),
        [],
        "which nothing here uses",
    ),
    "expired": (
        lambda likeness, model: nist(
            likeness, model, published=(TODAY - timedelta(days=400)).isoformat()
        ),
        [],
        "expire on",
    ),
    "for longer than a year": (nist, ["--until", "2099-01-01"], "a year after"),
    "until a day that is past": (nist, ["--until", "2020-01-01"], "does not count"),
    "until no day": (nist, ["--until", "soon"], "Not a day"),
    "of an own report": (
        lambda likeness, model: likeness("report", "sign", "report.json", "--out", "nist.json"),
        [],
        "carries no figures of NIST's",
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize(("make", "options", "says"), REFUSED.values(), ids=list(REFUSED))
def test_a_card_that_cannot_count_is_not_accepted(
    written: Command,
    picture: Make,
    make: Callable[[Command, str], Any],
    options: list[str],
    says: str,
) -> None:
    employ(written, picture)
    assert make(written, model_of(written)).code == 0
    outcome = written("report", "accept", "nist.json", *options)
    assert outcome.code == 2
    assert says in outcome.err
    assert "No card counts" in written("report", "list").out


def test_a_card_of_somebody_elses_key_needs_that_key(written: Command, picture: Make) -> None:
    employ(written, picture)
    nist(written, model_of(written))
    theirs = SigningKey.new()
    payload = read_signed_card(Path("nist.json").read_bytes(), "ours").payload
    text = envelope_of(payload, theirs.verifying_key, theirs.sign(encoded_for_signing(payload)))
    Path("theirs.json").write_bytes(text)
    Path("theirs.pem").write_text(theirs.verifying_key.pem)
    outcome = written("report", "accept", "theirs.json")
    assert outcome.code == 2
    assert "did not sign" in outcome.err
    assert written("report", "accept", "theirs.json", "--key", "theirs.pem").code == 0
    again = written("report", "accept", "nist.json")
    assert again.code == 2
    assert "accepted before" in again.err


@pytest.mark.slow
def test_a_row_that_was_changed_from_outside_is_shown(written: Command, picture: Make) -> None:
    employ(written, picture)
    nist(written, model_of(written), rate="0.1")
    assert written("report", "accept", "nist.json").code == 0
    with home() as opened:
        opened.database.write(
            lambda connection: connection.execute(
                update(EVIDENCE).values(least_true_positives=99 * 10_000)
            )
        )
    assert not answer(written("report", "list", "--json"))["cards"][0]["as_signed"]
    assert "NOT AS IT WAS SIGNED" in written("report", "list").out


@pytest.mark.slow
def test_the_stop_switch_stops_no_audit(written: Command, picture: Make) -> None:
    employ(written, picture)
    nist(written, model_of(written))
    assert written("policy", "suspend", "--all", "--reason", "an audit").code == 0
    assert written("report", "sign", "report.json", "--out", "card.json").code == 0
    assert written("report", "accept", "nist.json").code == 0
