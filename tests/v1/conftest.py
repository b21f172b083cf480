"""The application over a migrated database, with callers that are whoever a header says."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import httpx
import pytest
from fastapi import Request

from likeness.errors import Denied, NotFound
from likeness.gallery import collections
from likeness.gallery.cohorts import Cohorts
from likeness.gallery.collections import Collection
from likeness.secrets import KeyFiles, Keyring
from likeness.service.review.review_office import ReviewOffice
from likeness.service.uses.unrecorded import UnrecordedDesk
from likeness.service.watch.watch_office import WatchOffice
from likeness.storage import migrate, open_database
from likeness.terms import CohortStatistics, Principal, Role, Template
from likeness.v1.acts import Acts
from likeness.v1.application import application
from likeness.v1.problems import Problem
from tests.gallery.galleries import DIMENSIONS, MODEL, StrangersCohort, kept_cohort, vector
from tests.review.judging import Desk
from tests.review.test_watches import CALIBRATION

COHORT = "cohort@1"
LANE = "lane of pictures"
T = TypeVar("T")
FACE = b"\xff\xd8 a face \xff\xd9"


class Client:
    """Calls the application as somebody: `client.as_("reviewer", "ada").get(path)`."""

    def __init__(self, url: str, folder: Path) -> None:
        self.database = open_database(url, lock_timeout_s=30)
        migrate(self.database)
        self.keyring = Keyring(KeyFiles(folder / "keys"))
        self.desk = Desk(self.database, self.keyring)
        self.ready = True
        self.scores_hidden = False
        self.faces_asked_for = 0
        self.lane_is_full = False
        self.looked_from: list[str] = []
        cohorts = Cohorts(
            self.database, lambda model, version: StrangersCohort(version), kept_cohort
        )
        self.collection = self.database.write(
            lambda c: collections.create(
                c,
                self.keyring,
                "staff",
                model=MODEL,
                dimensions=DIMENSIONS,
                cohort_version=COHORT,
                now=self.desk.now,
            )
        )
        served = Acts(
            authenticate=self._authenticate,
            desk=UnrecordedDesk(self.database),
            review=lambda principal, desk: ReviewOffice(
                self.database,
                self.keyring,
                desk,
                principal,
                self.scores_hidden,
                clock=lambda: self.desk.now,
            ),
            watches=lambda principal, desk: WatchOffice(
                self.database,
                self.keyring,
                desk,
                cohorts,
                lambda collection: CALIBRATION,
                principal,
                keeps_crops=True,
                clock=lambda: self.desk.now,
            ),
            face_of=self.face_of,
            picture_lane=self.in_picture_lane,
            receipt=self._receipt,
            checkpoint=lambda: "a signed head\n",
            ready=lambda: self.ready,
        )
        self.application = application(served)

    def call(
        self, method: str, path: str, role: str | None, name: str = "ada", **sent: Any
    ) -> httpx.Response:
        headers = {} if role is None else {"x-role": role, "x-name": name}
        transport = httpx.ASGITransport(self.application, raise_app_exceptions=False)

        async def send() -> httpx.Response:
            async with httpx.AsyncClient(transport=transport, base_url="http://v1") as client:
                return await client.request(method, path, headers=headers, **sent)

        return asyncio.run(send())

    async def _authenticate(self, request: Request) -> Principal:
        role = request.headers.get("x-role")
        if role is None:
            raise Denied("a signed request was expected and this one is not: sign it")
        return Principal(
            f"key:{request.headers['x-name']}", Role(role), purposes=("missing-persons",)
        )

    async def in_picture_lane(self, act: Callable[[], T]) -> T:
        if self.lane_is_full:
            raise Problem(429, "TooManyRequests", "too many wait: try again")
        pool = ThreadPoolExecutor(1, LANE)
        with pool:
            return await asyncio.wrap_future(pool.submit(act))

    def face_of(self, collection: Collection, picture: bytes) -> tuple[Template, bytes]:
        self.faces_asked_for += 1
        self.looked_from.append(threading.current_thread().name)
        return Template(vector(1), MODEL, CohortStatistics(0.0, COHORT)), FACE

    def _receipt(self, principal: Principal, receipt_id: str) -> str:
        if receipt_id != "1-abc":
            raise NotFound("a receipt was expected and there is none of that id: check it")
        return '{"id": "1-abc"}'


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    made = Client(f"sqlite:///{tmp_path / 'likeness.db'}", tmp_path)
    with made.database:
        yield made
