"""Receipts that prove: to people without the home, after a crash, of two servers on one ledger."""

import base64
import json
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from likeness.app.serving import Serving
from likeness.config import Settings
from likeness.notify import WebhookSecret
from tests.cli.conftest import InstallationWithDiscs, Outcome
from tests.cli.test_serve import client, introduction, server
from tests.notify.receiver import receiving
from tests.rekognition.conftest import running
from tests.rekognition.operations.discs import BLUE, GREEN, RED, disc

from .conftest import Caller, Served, people, receipt_of, refused, search, soon

CHARITY = ("--sector", "charity", "--purpose", "missing-persons")


@pytest.fixture
def elsewhere(
    tmp_path: Path, likeness: Callable[..., Outcome], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Outcome]:
    """The command line of somebody who has no home."""

    def run(*arguments: object) -> Outcome:
        with monkeypatch.context() as patched:
            patched.setenv("LIKENESS_HOME", str(tmp_path / "elsewhere"))
            outcome = likeness(*arguments)
        assert not (tmp_path / "elsewhere").exists()
        return outcome

    return run


def test_a_receipt_from_a_header_is_verified_with_the_public_key_alone(
    serve: Callable[..., Served], elsewhere: Callable[..., Outcome], tmp_path: Path
) -> None:
    home = serve()
    people(home, RED)
    desk = home.key("desk", *CHARITY)
    receipt_id = receipt_of(search(desk, disc(RED)))
    key = tmp_path / "key.pem"
    key.write_text(home.command("ledger", "key").out)

    over_http = desk.v1("GET", f"receipts/{receipt_id}")
    assert over_http.status_code == 200
    fetched, written = tmp_path / "fetched.json", tmp_path / "written.json"
    fetched.write_text(over_http.text)
    home.command("ledger", "receipt", receipt_id, "--out", written)
    for receipt in (fetched, written):
        outcome = elsewhere("ledger", "verify", receipt, "--key", key)
        assert outcome.code == 0, outcome.err
        assert "SearchFacesByImage" in outcome.out

    changed = json.loads(fetched.read_text())
    changed["entry"] = changed["entry"].replace("missing-persons", "research")
    fetched.write_text(json.dumps(changed))
    assert elsewhere("ledger", "verify", fetched, "--key", key).code == 1


def test_a_receipt_is_for_whose_use_it_proves_and_for_auditors(
    serve: Callable[..., Served],
) -> None:
    home = serve()
    people(home, RED)
    desk = home.key("desk", *CHARITY)
    receipt_id = receipt_of(search(desk, disc(RED)))
    auditor = home.key("auditor", *CHARITY, "--role", "auditor")
    for caller in (desk, auditor, home.admin):
        assert caller.v1("GET", f"receipts/{receipt_id}").status_code == 200
    colleague = home.key("colleague", *CHARITY)
    theirs = colleague.v1("GET", f"receipts/{receipt_id}")
    index, _, _ = receipt_id.partition("-")
    unknown = colleague.v1("GET", f"receipts/{index}-{'A' * 16}")
    assert (theirs.status_code, theirs.text) == (unknown.status_code, unknown.text)
    assert theirs.status_code == 404


def test_the_signed_head_over_http_is_what_the_ledger_grows_from(
    serve: Callable[..., Served], tmp_path: Path
) -> None:
    home = serve()
    kept = tmp_path / "checkpoint"
    head = home.key("client").v1("GET", "checkpoint")
    assert head.status_code == 200
    kept.write_text(head.text)
    people(home, RED)
    verified = home.command("ledger", "verify", "--against", kept)
    assert verified.code == 0, verified.out + verified.err


def test_answers_and_refusals_of_v1_come_with_receipts(serve: Callable[..., Served]) -> None:
    home = serve()
    listed = home.admin.v1("GET", "cases")
    refusal = home.key("desk", *CHARITY).v1("GET", "cases")
    assert (listed.status_code, refusal.status_code) == (200, 403)
    for answer, kind in ((listed, "done"), (refusal, "refused")):
        receipt = home.admin.v1("GET", f"receipts/{answer.headers['x-likeness-receipt']}")
        entry = json.loads(receipt.json()["entry"])
        assert (entry["kind"], entry["operation"]) == (kind, "ListCases")
    assert "x-likeness-receipt" not in receipt.headers


def test_a_receipt_of_another_ledger_is_told_from_one_of_ours(
    serve: Callable[..., Served],
    elsewhere: Callable[..., Outcome],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    theirs = serve()
    people(theirs, RED)
    receipt = tmp_path / "theirs.json"
    receipt.write_text(
        theirs.admin.v1("GET", f"receipts/{receipt_of(search(theirs.admin, disc(RED)))}").text
    )
    monkeypatch.setenv("LIKENESS_HOME", str(tmp_path / "ours"))
    ours = serve()
    people(ours, RED)
    key = tmp_path / "ours.pem"
    key.write_text(ours.command("ledger", "key").out)
    assert elsewhere("ledger", "verify", receipt, "--key", key).code == 1
    against = ours.command("ledger", "verify", "--against", receipt)
    assert against.code != 0
    assert (against.out + against.err).strip()


def test_a_refusal_has_a_receipt_too(serve: Callable[..., Served], tmp_path: Path) -> None:
    home = serve()
    people(home, RED)
    police = home.key("pd", "--sector", "police", "--jurisdiction", "US-WA")
    with pytest.raises(ClientError) as error:
        search(police, disc(RED))
    receipt = home.admin.v1("GET", f"receipts/{receipt_of(error.value.response)}").json()
    assert json.loads(receipt["entry"])["kind"] == "refused"


def test_nothing_is_done_once_the_key_that_signs_is_lost(
    serve: Callable[..., Served], tmp_path: Path
) -> None:
    home = serve()
    people(home, RED)
    with home.database() as rows:
        rows.execute("UPDATE ledger_keys SET sealed_signing_key = x'00'")
    lost = home.command("policy", "suspend", "--all", "--reason", "audit")
    assert lost.code == 3
    assert "new-key" in lost.err
    assert search(home.admin, disc(RED))["FaceMatches"]  # nothing was suspended
    assert home.command("ledger", "new-key", "--yes").code == 0
    assert search(home.admin, disc(RED))["FaceMatches"]
    verified = home.command("ledger", "verify")
    assert "Another key" in verified.out


def test_who_is_watched_for_opens_a_case_and_a_signed_notice_when_enrolled_later(
    serve: Callable[..., Served],
) -> None:
    home = serve(LIKENESS_CROPS="on", LIKENESS_WEBHOOK_NETWORKS="127.0.0.1/32")
    people(home, GREEN)
    desk = home.key("desk", *CHARITY, "--role", "operator")
    with receiving() as receiver:
        body = _watch(webhook=receiver.url)
        far = desk.v1("POST", "watches", {**body, "expires_at": "2999-01-01T00:00:00Z"})
        assert far.status_code == 400  # beyond 366 days
        added = desk.v1("POST", "watches", body)
        assert added.status_code == 201, added.text
        for name, colour in (("blue", BLUE), ("red", RED)):
            home.admin.rekognition().index_faces(
                CollectionId="c", Image={"Bytes": disc(colour)}, ExternalImageId=name
            )
        (case,) = home.admin.v1("GET", "cases").json()["cases"]
        assert case["watch_id"] == added.json()["id"]
        soon(lambda: receiver.came)
        (told,) = receiver.verified(WebhookSecret.from_text(added.json()["webhook_secret"]))
    assert json.loads(told)["data"]["case_id"] == case["id"]
    assert b"red" not in told


def test_a_key_watches_for_no_purpose_that_it_was_not_granted(
    serve: Callable[..., Served],
) -> None:
    home = serve(LIKENESS_CROPS="on")
    people(home, GREEN)
    desk = home.key("desk", *CHARITY, "--role", "operator")
    for purpose, recorded in (("surveillance", "surveillance"), ("gossip", "unknown")):
        answer = desk.v1("POST", "watches", _watch(purpose=purpose))
        assert answer.status_code == 403
        assert "granted to this key: missing-persons" in answer.json()["detail"]
        refusal = home.entries()[-1]
        assert (refusal["kind"], refusal["purpose"]) == ("refused", recorded)


def _watch(**changed: str) -> dict[str, str]:
    return {
        "collection": "c",
        "image": base64.b64encode(disc(RED)).decode(),
        "purpose": "missing-persons",
        "authority": "Ministry, list 7",
        "criteria": "missing since 3 May",
        "expires_at": _in_days(30),
        **changed,
    }


def _in_days(days: int) -> str:
    return time.strftime("%Y-%m-%dT00:00:00Z", time.gmtime(time.time() + 86400 * days))


def test_a_server_that_is_killed_loses_nothing_that_it_acknowledged(
    tmp_path: Path, standards: Path, likeness: Callable[..., Outcome]
) -> None:
    home = tmp_path / "home"
    acknowledged: list[str] = []
    with server(home, standards) as process:
        introduced = introduction(process)
        rekognition = client(introduced)
        rekognition.create_collection(CollectionId="c")

        def work(number: int) -> None:
            own = client(introduced)
            for step in range(1000):
                try:
                    picture = {"Bytes": disc((220 - step % 40, 40 + 9 * number, 40))}
                    answer = own.index_faces(
                        CollectionId="c", Image=picture, ExternalImageId=f"p{number}-{step}"
                    )
                    acknowledged.append(answer["FaceRecords"][0]["Face"]["FaceId"])
                    own.search_faces_by_image(CollectionId="c", Image=picture)
                except (ClientError, BotoCoreError):
                    return

        workers = [threading.Thread(target=work, args=[number]) for number in range(4)]
        for worker in workers:
            worker.start()
        while len(acknowledged) < 12:
            time.sleep(0.01)
        process.kill()
        process.wait()
        for worker in workers:
            worker.join()
    with server(home, standards) as process:
        again = client({**introduced, **introduction(process)})
        pages = again.get_paginator("list_faces").paginate(CollectionId="c")
        enrolled = {face["FaceId"] for page in pages for face in page["Faces"]}
        assert set(acknowledged) <= enrolled
        for face_id in acknowledged[-3:]:
            again.search_faces(CollectionId="c", FaceId=face_id)
        verified = likeness("ledger", "verify")
        assert verified.code == 0, verified.out + verified.err
        out = tmp_path / "entries.jsonl"
        likeness("ledger", "export", "--out", out)
    entries = [json.loads(line) for line in out.read_text().splitlines()]
    ended = {one["use"] for one in entries if one["kind"] != "intent"}
    cut_off = [one for one in entries if one["kind"] == "intent" and one["use"] not in ended]
    assert len(cut_off) <= len(workers)
    done = [one for one in entries if (one["kind"], one["operation"]) == ("done", "IndexFaces")]
    assert len(done) == len(enrolled)


@pytest.fixture
def two_servers(
    tmp_path: Path, standards: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Caller, Caller]]:
    """Two servers of one database, and one key of theirs."""
    monkeypatch.setattr(InstallationWithDiscs, "shipped", standards, raising=False)
    monkeypatch.setenv("LIKENESS_DATABASE", database_url)
    with ExitStack() as stack:
        urls, first = [], None
        for name in ("home", "other"):
            home = tmp_path / name
            if urls:
                shutil.copytree(tmp_path / "home" / "keys", home / "keys")
            settings = Settings(home=home, cache=tmp_path / "cache", database=database_url)
            serving = stack.enter_context(Serving(InstallationWithDiscs(settings)))
            urls.append(stack.enter_context(running(serving.router)))
            first = first or serving.ensure_first_key()
        assert first is not None
        one, other = (Caller(url, first.access_key_id, first.secret) for url in urls)
        yield one, other


def test_two_servers_share_a_ledger_that_verifies(
    two_servers: tuple[Caller, Caller], likeness: Callable[..., Outcome]
) -> None:
    one, other = two_servers
    one.rekognition().create_collection(CollectionId="c")

    def detect(caller: Caller) -> None:
        rekognition = caller.rekognition()
        receipts.extend(
            receipt_of(rekognition.detect_faces(Image={"Bytes": disc(RED)})) for _ in range(10)
        )

    receipts: list[str] = []
    threads = [threading.Thread(target=detect, args=[caller]) for caller in (one, other) * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(receipts)) == 40
    for receipt in receipts[:3]:
        assert {caller.v1("GET", f"receipts/{receipt}").status_code for caller in two_servers} == {
            200
        }
    verified = likeness("ledger", "verify")
    assert verified.code == 0, verified.out + verified.err
    assert likeness("policy", "suspend", "--all", "--reason", "audit").code == 0
    for caller in two_servers:
        soon(
            lambda caller=caller: refused(
                lambda: caller.rekognition().detect_faces(Image={"Bytes": disc(RED)})
            )
        )
