"""What does a server consist of? A home, what finds faces, who may call, and the wire."""

from collections.abc import Mapping
from contextlib import ExitStack
from datetime import UTC, datetime
from types import TracebackType
from typing import Self

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from sqlalchemy import text
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, Router

from likeness.access import IssuedSecret, KnownKeys
from likeness.app.access import somebody_here
from likeness.app.home import Home
from likeness.app.installation import Installation, Workload
from likeness.artifacts import Progress
from likeness.errors import LikenessError
from likeness.rekognition.application import Application, Limits, Operation
from likeness.rekognition.measures import Measures
from likeness.service.keys import KeyOffice


class Serving:
    """A home that is served: `router` is the ASGI application, for `HttpServer` to run.

    `first_key` is the admin's key that was made because there was none; its secret is nowhere else.
    """

    def __init__(self, installation: Installation, progress: Progress | None = None) -> None:
        """Open the home and load the networks.

        Raises what `Home` and `Installation.finder` raise.
        """
        with ExitStack() as undone:
            self.home = undone.enter_context(Home(installation))
            home = self.home
            self.first_key: IssuedSecret | None = KeyOffice(
                home.database, home.keyring, home.desk, somebody_here()
            ).ensure_first()
            self.registry = CollectorRegistry()
            self._wire = Application(
                _operations(home, installation, progress),
                KnownKeys(home.database, home.keyring, _now),
                Measures(self.registry),
                Limits(picture_workers=installation.workers(Workload.MANY)),
            )
            undone.pop_all()
        self.router = Router(
            [
                Route("/healthz", _alive),
                Route("/readyz", self._ready),
                Route("/metrics", self._metrics),
            ],
            redirect_slashes=False,
            default=self._wire,
        )

    def close(self) -> None:
        """Finish what was begun, and let go of the home."""
        try:
            self._wire.close()
        finally:
            self.home.close()

    def __enter__(self) -> Self:
        """Give itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close."""
        self.close()

    async def _ready(self, request: Request) -> Response:
        """Say whether acts can be done: networks are loaded before anything is listened to."""
        try:
            await run_in_threadpool(
                self.home.database.read, lambda connection: connection.execute(text("SELECT 1"))
            )
        except LikenessError as error:
            return JSONResponse({"ready": False, "reason": type(error).__name__}, 503)
        return JSONResponse({"ready": True})

    async def _metrics(self, request: Request) -> Response:
        return Response(generate_latest(self.registry), media_type=CONTENT_TYPE_LATEST)


async def _alive(request: Request) -> Response:
    return JSONResponse({"alive": True})


def _operations(
    home: Home, installation: Installation, progress: Progress | None
) -> Mapping[str, Operation]:
    """Give every operation what it needs of the home."""
    installation.finder(installation.engine(Workload.MANY), progress)
    return {}


def _now() -> datetime:
    return datetime.now(UTC)
