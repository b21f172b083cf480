"""Kill -9 of a server that three clients use: what was acknowledged holds, what was ended is gone.

`LIKENESS_SERVER_KILLS=200` kills as often by hand.
"""

import base64
import itertools
import json
import multiprocessing
import os
import random
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from botocore.exceptions import BotoCoreError, ClientError

from tests.cli.conftest import Outcome
from tests.end_to_end import killed_server
from tests.rekognition.operations.discs import BLUE, GREEN, RED, Colour, disc

from .conftest import THORN, Caller, case_of

pytestmark = pytest.mark.slow

KILLS = int(os.environ.get("LIKENESS_SERVER_KILLS", "5"))
_MOST_ACKNOWLEDGED, _LONGEST_S, _MOMENT_S = 30, 10.0, 0.05
_VERIFY_EVERY = 5
_COLLECTION = "staff"
_EUROPE = ("--sector", "border-control", "--jurisdiction", "EU", "--purpose", "border-check")
_KEYS = {
    "officer": _EUROPE,
    "reviewer": (*_EUROPE, "--role", "reviewer"),
    "desk": (*THORN, "--role", "admin", "--purpose", "missing-persons"),
}
_BROKEN_OFF = (BotoCoreError, httpx.HTTPError)


@dataclass
class Told:
    """What a server was asked and has acknowledged, of things of one sort, by their names."""

    tell: Callable[[], object]
    asked: set[str] = field(default_factory=set)
    made: dict[str, str] = field(default_factory=dict)
    asked_to_end: set[str] = field(default_factory=set)
    ended: set[str] = field(default_factory=set)

    def make(self, name: str, act: Callable[[], str]) -> str:
        """Ask for something to be made; keep the id that the answer gives."""
        self.asked.add(name)
        self.made[name] = made = act()
        self.tell()
        return made

    def end(self, name: str, act: Callable[[], object]) -> None:
        """Ask for something to be ended."""
        self.asked_to_end.add(name)
        act()
        self.ended.add(name)
        self.tell()

    def some(self, draw: random.Random, but: Collection[str] = ()) -> str | None:
        """Draw one that is there for certain."""
        there = sorted(self.certain.difference(but))
        return draw.choice(there) if there else None

    @property
    def certain(self) -> set[str]:
        """What has to be there."""
        return set(self.made) - self.asked_to_end

    def check(self, there: set[str]) -> None:
        """Compare with what is there."""
        assert self.certain <= there, "acknowledged, and lost"
        assert there <= self.asked - self.ended, "ended, and there again"


class Clients:
    """Who asks, and all that they were told over all rounds."""

    def __init__(self, url: str, first: tuple[str, str]) -> None:
        self.keys = {"first": first}
        self.acknowledged = threading.Semaphore(0)
        tell = self.acknowledged.release
        self.faces, self.users, self.watches, self.verdicts = (Told(tell) for _ in range(4))
        self.associated: dict[str, set[str]] = {}
        self.deleted: set[str] = set()
        self.receipts: list[str] = []
        self._url = url
        self._clients: dict[str, Any] = {}
        self._numbers = itertools.count()

    def caller(self, name: str) -> Caller:
        return Caller(self._url, *self.keys[name])

    def rekognition(self, name: str) -> Any:
        """Give a client, which is the same at every start: making one takes long."""
        if name not in self._clients:
            self._clients[name] = self.caller(name).rekognition()
        return self._clients[name]

    def erased(self) -> set[str]:
        """Say which faces were perhaps erased, or those whose they are."""
        users = self.deleted
        of_users = {name for name, theirs in self.associated.items() if theirs & users}
        return self.faces.asked_to_end | of_users

    def enrol(self, draw: random.Random) -> None:
        """Enrol faces and users, and erase some."""
        client = self.rekognition("desk")
        while True:
            name = f"face-{next(self._numbers)}"
            face = self.faces.make(name, partial(self._index, client, name, draw))
            if draw.random() < 0.4:
                user = f"user-{next(self._numbers)}"
                self.associated[name] = {user}  # and not to be deleted by itself
                self.users.make(user, partial(_make_user, client, user, face))
            gone = self.faces.some(draw, self.associated)
            if gone is not None and draw.random() < 0.4:
                self.faces.end(gone, partial(_delete_face, client, self.faces.made[gone]))
            gone = self.users.some(draw)
            if gone is not None and draw.random() < 0.2:
                self.deleted.add(gone)
                self.users.end(gone, partial(_delete_user, client, gone))
            self._arrange(draw)

    def _arrange(self, draw: random.Random) -> None:
        """Merge two users now and then, or rename one."""
        desk = self.caller("desk")
        user, other = self.users.some(draw), self.users.some(draw)
        if user is None or other is None or draw.random() < 0.6:
            return
        if user != other:
            self._pass_on(user, other)
            self.users.end(user, partial(_arrange, desk, "merge", user, into=other))
        else:
            new = f"user-{next(self._numbers)}"
            self._pass_on(user, new)
            self.users.asked_to_end.add(user)
            self.users.make(new, partial(_arrange, desk, "rename", user, name=new))
            self.users.ended.add(user)

    def _pass_on(self, user: str, other: str) -> None:
        """Note that faces of one user may be another's from now on."""
        for theirs in self.associated.values():
            if user in theirs:
                theirs.add(other)

    def watch(self, draw: random.Random) -> None:
        """Begin watches, and end some."""
        caller = self.caller("desk")
        while True:
            name = f"watch-{next(self._numbers)}"
            self.watches.make(name, partial(_begin_watch, caller, name, draw))
            gone = self.watches.some(draw)
            if gone is not None and draw.random() < 0.8:
                self.watches.end(gone, partial(_end_watch, caller, self.watches.made[gone]))

    def review(self, draw: random.Random) -> None:
        """Search where people decide first, and decide."""
        officer = self.rekognition("officer")
        reviewer = self.caller("reviewer")
        while True:
            found = officer.search_faces_by_image(
                CollectionId=_COLLECTION, Image={"Bytes": disc(_colour(draw))}
            )
            self.receipts.append(found["ResponseMetadata"]["HTTPHeaders"]["x-likeness-receipt"])
            case = case_of(found)
            if case is None or case in self.verdicts.asked:
                continue
            candidates = _done(reviewer.v1("GET", f"cases/{case}"))["candidates"]
            if candidates:
                with suppress(_Gone):
                    self.verdicts.make(case, partial(_decide, reviewer, case, candidates[0]))

    def _index(self, client: Any, name: str, draw: random.Random) -> str:
        indexed = client.index_faces(
            CollectionId=_COLLECTION,
            Image={"Bytes": disc(_colour(draw))},
            ExternalImageId=name,
        )
        self.receipts.append(indexed["ResponseMetadata"]["HTTPHeaders"]["x-likeness-receipt"])
        (record,) = indexed["FaceRecords"]
        return str(record["Face"]["FaceId"])


def _colour(draw: random.Random) -> Colour:
    red, green, blue = draw.choice([RED, GREEN, BLUE])
    return red + draw.randrange(8), green + draw.randrange(8), blue + draw.randrange(8)


def _make_user(client: Any, user: str, face: str) -> str:
    client.create_user(CollectionId=_COLLECTION, UserId=user)
    client.associate_faces(CollectionId=_COLLECTION, UserId=user, FaceIds=[face])
    return user


def _delete_face(client: Any, face: str) -> None:
    deleted = client.delete_faces(CollectionId=_COLLECTION, FaceIds=[face])
    assert deleted["DeletedFaces"] == [face], deleted


def _delete_user(client: Any, user: str) -> None:
    client.delete_user(CollectionId=_COLLECTION, UserId=user)


def _arrange(caller: Caller, act: str, user: str, **more: str) -> str:
    asked = {"collection": _COLLECTION, "subject": user, **more}
    return str(_done(caller.v1("POST", f"subjects/{act}", asked))["subject"]["name"])


def _end_watch(caller: Caller, watch: str) -> None:
    _done(caller.v1("DELETE", f"watches/{watch}"))


def _begin_watch(caller: Caller, name: str, draw: random.Random) -> str:
    asked = {
        "collection": _COLLECTION,
        "image": base64.b64encode(disc(_colour(draw))).decode(),
        "purpose": "missing-persons",
        "authority": "Court 7",
        "criteria": name,
        "expires_at": (datetime.now(UTC) + timedelta(days=30)).isoformat(),
    }
    return str(_done(caller.v1("POST", "watches", asked))["id"])


def _decide(reviewer: Caller, case: str, candidate: Mapping[str, Any]) -> str:
    """Give a verdict on a candidate; give the face that it is of."""
    verdict = {"verdict": "same", "reason": "the scar above the left brow"}
    asked = {**verdict, "candidate": candidate["number"]}
    _done(reviewer.v1("POST", f"cases/{case}/verdicts", asked))
    return str(candidate["reference_id"])


class _Gone(Exception):
    """What was to be decided about was erased by another client."""


def _done(answer: httpx.Response) -> Any:
    if answer.status_code in (404, 409):
        raise _Gone(answer.text)
    assert answer.status_code < 300, answer.text
    return answer.json()


class Killed:
    """One home, and servers of it that are killed one after the other."""

    def __init__(self, home: Path, shipped: Path) -> None:
        self.home = home
        self._shipped = shipped
        self._port = 0
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload([killed_server.__name__])

    @contextmanager
    def server(self) -> Iterator[tuple[str, tuple[str, str] | None]]:
        """Serve until the end of the block, and kill it there."""
        hears, says = self._context.Pipe(duplex=False)
        arguments = (self.home, self._shipped, self._port, says)
        program = self._context.Process(target=killed_server.run, args=arguments)
        program.start()
        says.close()
        try:
            url, first = hears.recv()
            self._port = urlsplit(url).port or 0
            yield url, first
        finally:
            program.kill()
            program.join()


def _use(clients: Clients, killed: Killed, seed: int) -> None:
    """Let three clients use a server, and kill it at some moment."""
    draw = random.Random(seed)
    problems: list[BaseException] = []

    def go_on(act: Callable[[random.Random], None], number: int) -> None:
        try:
            act(random.Random(10 * seed + number))
        except _BROKEN_OFF:
            pass  # it was killed
        except ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] != 503:
                problems.append(error)
        except BaseException as error:
            problems.append(error)

    with killed.server():
        acts = (clients.enrol, clients.watch, clients.review)
        threads = [
            threading.Thread(target=go_on, args=(act, number)) for number, act in enumerate(acts)
        ]
        for thread in threads:
            thread.start()
        for _ in range(draw.randrange(_MOST_ACKNOWLEDGED)):
            clients.acknowledged.acquire(timeout=_LONGEST_S)
        time.sleep(draw.random() * _MOMENT_S)
    for thread in threads:
        thread.join()
    assert not problems, problems


def _check(clients: Clients) -> None:
    """Compare what was told with what a server finds."""
    admin, client = clients.caller("first"), clients.rekognition("first")
    faces = [
        face
        for page in client.get_paginator("list_faces").paginate(CollectionId=_COLLECTION)
        for face in page["Faces"]
    ]
    clients.faces.check({face["ExternalImageId"] for face in faces})
    ids = {face["ExternalImageId"]: face["FaceId"] for face in faces}
    assert all(ids[name] == clients.faces.made[name] for name in clients.faces.certain)
    users = client.get_paginator("list_users").paginate(CollectionId=_COLLECTION)
    clients.users.check({one["UserId"] for page in users for one in page["Users"]})
    watches = _done(admin.v1("GET", "watches"))["watches"]
    clients.watches.check({one["criteria"] for one in watches})
    reviewer = clients.caller("reviewer")
    erased = {clients.faces.made[name] for name in clients.erased()}
    for case in sorted(clients.verdicts.certain)[-20:]:
        face = clients.verdicts.made[case]
        seen = _done(reviewer.v1("GET", f"cases/{case}"))["candidates"]
        assert face in erased or any(
            one["verdicts"] for one in seen if one["reference_id"] == face
        ), seen
    for receipt in clients.receipts[-10:]:
        assert _done(admin.v1("GET", f"receipts/{receipt}"))["likeness_receipt"] == 1


def test_a_server_killed_under_load_loses_and_resurrects_nothing(
    likeness: Callable[..., Outcome], tmp_path: Path, standards: Path
) -> None:
    killed = Killed(tmp_path / "home", standards)

    def command(*arguments: object) -> Outcome:
        outcome = likeness(*arguments)
        assert outcome.code == 0, outcome
        return outcome

    with killed.server() as (url, first):
        assert first is not None
        clients = Clients(url, first)
        clients.rekognition("first").create_collection(CollectionId=_COLLECTION)
    command("policy", "enable", "eu-ai-act", "--choice", "high-risk-applies=2025-02-02")
    for name, options in _KEYS.items():
        made = json.loads(command("keys", "create", name, *options, "--json").out)
        clients.keys[name] = (made["access_key_id"], made["secret_access_key"])

    for seed in range(KILLS):
        _use(clients, killed, seed)
        with killed.server():
            _check(clients)
        if seed % _VERIFY_EVERY == 0 or seed == KILLS - 1:
            command("ledger", "verify")
    for told in (clients.faces, clients.users, clients.watches, clients.verdicts):
        assert told.made
    assert clients.faces.ended and clients.watches.ended
