"""One home, and every door to it: Rekognition's wire, `/v1`, the command line and the library.

One process has a home's gallery at a time, so each door opens it anew. Whoever calls is the same
person at every door, so that what differs is the door's doing.
"""

import asyncio
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client import CollectorRegistry
from sqlalchemy import select

from likeness.app.home import open_home
from likeness.config import read_settings
from likeness.ledger.tables import ENTRIES
from likeness.policy import enable_pack, read_pack
from likeness.server.door import Gate
from likeness.server.monitoring import Metrics
from likeness.service.uses import Home
from likeness.terms import Principal
from likeness.v1.acts import Acts
from likeness.v1.application import Application
from tests.cli.conftest import (  # noqa: F401  # fixtures
    InstallationWithDiscs,
    Outcome,
    likeness,
    standards,
)
from tests.rekognition.operations.conftest import OneKey, backend_of, serving
from tests.rekognition.operations.discs import Colour, disc
from tests.service.accounting import FACTS
from tests.v1.conftest import signed

RED, PINK, GREEN, BLUE = (220, 40, 40), (222, 44, 44), (40, 200, 60), (50, 70, 230)


@dataclass(frozen=True)
class Doors:
    """The doors to the home of the settings."""

    command: Callable[..., Outcome]
    folder: Path

    @contextmanager
    def home(self) -> Iterator[Home]:
        with open_home(InstallationWithDiscs(read_settings())) as home:
            yield home

    @contextmanager
    def wire(self, principal: Principal | None = None) -> Iterator[Any]:
        """A boto3 client of somebody; without, of who is at the command line."""
        with self.home() as home:
            backend = backend_of(home, self.folder / "buckets", lambda: datetime.now(UTC))
            with serving(backend, principal or home.somebody) as client:
                yield client

    @contextmanager
    def v1(self, principal: Principal | None = None) -> Iterator[Callable[..., httpx.Response]]:
        """Calls of Likeness's own acts, by the same."""
        with (
            self.home() as home,
            Gate(OneKey(principal or home.somebody), Metrics(CollectorRegistry())) as gate,
        ):
            yield partial(_call, Application(Acts(home, gate.pictures, lambda: True), gate))

    def json(self, *arguments: object) -> Any:
        """Run a command that has to succeed, and read what it prints."""
        outcome = self.command(*arguments, "--json")
        assert outcome.code in (0, 1), outcome.err
        return json.loads(outcome.out)

    def picture(self, name: str, *colours: Colour) -> Path:
        path = self.folder / name
        path.write_bytes(disc(*colours))
        return path

    def employ(self, *colours: Colour) -> list[str]:
        """Make `staff` of a face of each colour, each a subject's; gives the ids of references."""
        with self.wire() as client:
            client.create_collection(CollectionId="staff")
            ids = []
            for number, colour in enumerate(colours):
                indexed = client.index_faces(CollectionId="staff", Image={"Bytes": disc(colour)})
                ids.append(indexed["FaceRecords"][0]["Face"]["FaceId"])
                client.create_user(CollectionId="staff", UserId=f"p{number}")
                client.associate_faces(CollectionId="staff", UserId=f"p{number}", FaceIds=[ids[-1]])
        return ids

    def owe(self, duty: str, amount: str, met: str, action: str = "search") -> None:
        """Put a duty in force."""
        rule = (
            f'@id("owed") @source("a test") @effective("2000-01-01")'
            f' @obligation("{duty}") @amount("{amount}")'
            f' forbid(principal, action == Action::"{action}", resource) unless {{ {met} }};'
        )
        pack = read_pack("of-a-test", FACTS, rule)
        with self.home() as home:
            home.database.write(
                lambda c: enable_pack(c, pack, {}, by="local:test", now=datetime.now(UTC))
            )

    @contextmanager
    def noted(self, entries: list[dict[str, Any]]) -> Iterator[None]:
        """Note the entries of whatever is done, without what every use has of its own."""
        before = len(self._entries())
        yield
        for entry in self._entries()[before:]:
            entries.append(
                {
                    name: said
                    for name, said in entry.items()
                    if name not in ("at", "use", "operation", "ids", "references", "subjects")
                }
            )

    def _entries(self) -> list[dict[str, Any]]:
        with self.home() as home:
            rows = home.database.read(
                lambda c: list(
                    c.execute(select(ENTRIES.c.entry).order_by(ENTRIES.c.position)).scalars()
                )
            )
        return [one for one in map(json.loads, rows) if one["kind"] != "key"]


@pytest.fixture
def doors(
    likeness: Callable[..., Outcome],  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> Doors:
    """A home that keeps pictures for review."""
    monkeypatch.setenv("LIKENESS_CROPS", "on")
    (tmp_path / "buckets").mkdir()
    return Doors(likeness, tmp_path)


def _call(
    application: Application, method: str, path: str, body: Mapping[str, Any] | None = None
) -> httpx.Response:
    async def call() -> httpx.Response:
        transport = httpx.ASGITransport(application)
        async with httpx.AsyncClient(transport=transport, base_url="http://v1") as client:
            request = client.build_request(method, f"/v1/{path}", json=body)
            return await client.send(signed(request, access_key_id="LKIATEST", secret="secret"))

    return asyncio.run(call())
