"""The application over a migrated database, with callers whose keys say who they are."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from prometheus_client import CollectorRegistry

from likeness.access import Credential
from likeness.errors import NotFound
from likeness.gallery import Collection, Collections
from likeness.secrets import KeyFiles, Keyring
from likeness.server.gate import Gate
from likeness.server.metrics import Metrics
from likeness.service.review.review_office import ReviewOffice
from likeness.service.uses.unrecorded import UnrecordedDesk
from likeness.service.watch.watch_office import WatchOffice
from likeness.storage import migrate, open_database
from likeness.terms import CohortStatistics, Principal, Role, Template
from likeness.v1.acts import Acts
from likeness.v1.application import LIMITS, Application
from tests.gallery.galleries import DIMENSIONS, MODEL, StrangersCohort, kept_cohort, vector
from tests.review.judging import Desk
from tests.review.test_watches import CALIBRATION

COHORT = "cohort@1"
LANE = "likeness-pictures"
SECRET = "a secret"
FACE = b"\xff\xd8 a face \xff\xd9"


class Keys:
    """Knows a key for everybody in every role: `LKIAXROLEXNAME`."""

    def find(self, access_key_id: str) -> Credential | None:
        _, role, name = access_key_id.split("X")
        principal = Principal(f"key:{name}", Role(role), purposes=("missing-persons",))
        return Credential(SECRET, principal, enabled=True)


class Client:
    """Calls the application as somebody: `client.as_("reviewer", "ada").get(path)`."""

    def __init__(self, url: str, folder: Path) -> None:
        self.database = open_database(url, lock_timeout_s=30)
        migrate(self.database)
        self.keyring = Keyring(KeyFiles(folder / "keys"))
        self.desk = Desk(self.database, self.keyring)
        self.is_ready: Callable[[], bool] = lambda: True
        self.scores_hidden = False
        self.faces_asked_for = 0
        self.looked_from: list[str] = []
        self.collections = Collections(
            self.database,
            self.keyring,
            lambda model, version: StrangersCohort(version),
            kept_cohort,
        )
        self.collection = self.database.write(
            lambda c: self.collections.create(
                c,
                "staff",
                model=MODEL,
                dimensions=DIMENSIONS,
                cohort_version=COHORT,
                now=self.desk.now,
            )
        )
        self.gate = Gate(Keys(), Metrics(CollectorRegistry()))
        self.acts = Acts(
            desk=UnrecordedDesk(self.database),
            review=lambda principal, desk: ReviewOffice(
                self.database,
                self.keyring,
                self.collections,
                desk,
                principal,
                self.scores_hidden,
                clock=lambda: self.desk.now,
            ),
            watches=lambda principal, desk: WatchOffice(
                self.database,
                self.keyring,
                desk,
                self.collections,
                lambda collection: CALIBRATION,
                principal,
                keeps_crops=True,
                clock=lambda: self.desk.now,
            ),
            face_of=self.face_of,
            pictures=self.gate.pictures,
            receipt=self._receipt,
            checkpoint=lambda: "a signed head\n",
            ready=lambda: self.is_ready(),
        )
        self.limit()

    def limit(self, **limits: Any) -> None:
        """Serve with other limits of bodies."""
        self.application = Application(self.acts, self.gate, replace(LIMITS, **limits))

    def call(
        self, method: str, path: str, role: str | None, name: str = "ada", **sent: Any
    ) -> httpx.Response:
        transport = httpx.ASGITransport(self.application)

        async def send() -> httpx.Response:
            async with httpx.AsyncClient(transport=transport, base_url="http://v1") as client:
                request = client.build_request(method, path, **sent)
                return await client.send(signed(request, role, name) if role else request)

        return asyncio.run(send())

    def face_of(self, collection: Collection, picture: bytes) -> tuple[Template, bytes]:
        self.faces_asked_for += 1
        self.looked_from.append(threading.current_thread().name)
        return Template(vector(1), MODEL, CohortStatistics(0.0, COHORT)), FACE

    def _receipt(self, principal: Principal, receipt_id: str) -> str:
        if receipt_id != "1-abc":
            raise NotFound("a receipt was expected and there is none of that id: check it")
        return '{"id": "1-abc"}'


def signed(request: httpx.Request, role: str, name: str = "ada") -> httpx.Request:
    """Sign a request as somebody; of what comes in pieces, nothing is signed."""
    try:
        body = request.content
    except httpx.RequestNotRead:
        body = b""
    sent = AWSRequest(request.method, str(request.url), data=body)
    credentials = Credentials(f"LKIAX{role}X{name}", SECRET)
    SigV4Auth(credentials, "rekognition", "eu-west-1").add_auth(sent)
    request.headers.update(dict(sent.headers))
    return request


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    made = Client(f"sqlite:///{tmp_path / 'likeness.db'}", tmp_path)
    with made.database, made.gate:
        yield made
