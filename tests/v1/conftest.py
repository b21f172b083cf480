"""The application over a migrated database, with callers whose keys say who they are."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from prometheus_client import CollectorRegistry

from likeness.access import Credential
from likeness.errors import NotFound
from likeness.gallery import Collections
from likeness.ledger import Entry, Kind
from likeness.secrets import KeyFiles, Keyring
from likeness.server import Gate, Metrics
from likeness.storage import migrate, open_database
from likeness.terms import Action, CohortStatistics, Principal, Role, Template, Use
from likeness.v1.acts import Acts
from likeness.v1.application import LIMITS, Application
from likeness.vision.decode import DecodeLimits, Sample
from tests.gallery.galleries import DIMENSIONS, MODEL, StrangersCohort, face, kept_cohort, vector
from tests.review.judging import Desk
from tests.review.test_watches import CALIBRATION
from tests.service.acts import rows_of
from tests.service.unrecorded import UnrecordedDesk

COHORT = "cohort@1"
LANE = "likeness-pictures"
SECRET = "a secret"


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
        rows = rows_of(
            self.database,
            self.keyring,
            UnrecordedDesk(self.database),
            ledger=self,
            collections=self.collections,
            calibration_of=lambda collection: CALIBRATION,
            load_finder=lambda collection: self,
            limits=DecodeLimits(),
            clock=lambda: self.desk.now,
        )
        self.acts = Acts(rows, self.gate.pictures, lambda: self.is_ready())
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

    def locate(self, sample: Sample) -> Any:
        """Find one face, as a finder does."""
        self.faces_asked_for += 1
        self.looked_from.append(threading.current_thread().name)
        return SimpleNamespace(faces=(face(),), foremost=0, image=sample.decode())

    def templates(self, located: Any = None, which: Any = None) -> list[Template]:
        """Make its template, as a finder does."""
        return [Template(vector(1), MODEL, CohortStatistics(0.0, COHORT))]

    # As a ledger gives them.

    def checkpoint(self) -> str:
        return "a signed head\n"

    def receipt(self, receipt_id: str) -> Any:
        if receipt_id != "1-abc":
            raise NotFound("No such receipt. Check its id.")
        use = Use(Principal("key:ada", Role.CLIENT), Action.READ, "ListFaces")
        entry = Entry(self.desk.now, Kind.DONE, use, None, {}, {}, (), (), {}).to_bytes()
        return SimpleNamespace(entry=entry, to_json=lambda: '{"id": "1-abc"}')


def signed(
    request: httpx.Request,
    role: str = "",
    name: str = "ada",
    *,
    access_key_id: str | None = None,
    secret: str = SECRET,
) -> httpx.Request:
    """Sign a request as somebody; of what comes in pieces, nothing is signed."""
    try:
        body = request.content
    except httpx.RequestNotRead:
        body = b""
    sent = AWSRequest(request.method, str(request.url), data=body)
    for header, text in request.headers.items():
        if header.startswith("x-likeness-"):
            sent.headers[header] = text
    credentials = Credentials(access_key_id or f"LKIAX{role}X{name}", secret)
    SigV4Auth(credentials, "rekognition", "eu-west-1").add_auth(sent)
    request.headers.update(dict(sent.headers))
    return request


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    made = Client(f"sqlite:///{tmp_path / 'likeness.db'}", tmp_path)
    with made.database, made.gate:
        yield made
