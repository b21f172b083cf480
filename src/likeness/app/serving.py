"""Puts a server together: a home, what finds faces, who may call, and the doors."""

import logging
from contextlib import ExitStack
from functools import partial
from operator import methodcaller

from prometheus_client import CollectorRegistry
from sqlalchemy import text
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, Router

from likeness.access import IssuedSecret, KnownKeys, RequestTokens
from likeness.app.acts import home_parts, now
from likeness.app.buckets import buckets_of
from likeness.app.finders import Finders, better_recogniser
from likeness.app.home import Home
from likeness.app.installation import Installation, Workload
from likeness.app.upkeep import Upkeep, tasks_of
from likeness.artifacts import Progress
from likeness.errors import LikenessError
from likeness.rekognition.application import Application as Rekognition
from likeness.rekognition.backend import Backend
from likeness.rekognition.operations import OPERATIONS
from likeness.rekognition.page_tokens import PageTokens
from likeness.server import Gate, Limits, Metrics, MetricsPage, below
from likeness.service.govern.keys import KeyActs
from likeness.terms import Closing
from likeness.v1.acts import Acts
from likeness.v1.application import Application as OwnActs
from likeness.vision.find import Observer

_logger = logging.getLogger(__name__)

_ACCOUNT = "000000000000"
"""An installation is one account, of no number in particular; ARNs have one."""


class Serving(Closing):
    """A home that is served: `router` is the ASGI application, for `HttpServer` to run.

    `refuse_malformed` answers, and notes as a request, what never comes to it.
    """

    def __init__(self, installation: Installation, progress: Progress | None = None) -> None:
        """Open the home and load the networks that new collections take; others on first use.

        Raises what `Home` and `Installation.finder` raise.
        """
        with ExitStack() as undone:
            self.home = undone.enter_context(Home(installation))
            home, settings = self.home, installation.settings
            registry = CollectorRegistry()
            metrics = Metrics(registry)
            observer = Observer(
                metrics.stages.labels("locate").time,
                metrics.stages.labels("embed").time,
                metrics.faces.inc,
            )
            finders = Finders(
                installation,
                installation.engine(Workload.MANY),
                progress,
                fetches=False,
                wrap=methodcaller("observed_by", observer),
            )
            backend = _backend(home, finders)
            _tell_of_better_models(home)
            self._gate = Gate(
                KnownKeys(home.freshness, home.keyring, now),
                metrics,
                Limits(
                    picture_workers=installation.workers(Workload.MANY),
                    per_key_s=settings.key_rate,
                ),
            )
            self._upkeep = Upkeep(tasks_of(home, backend))
            undone.pop_all()
        operations = {name: partial(operation, backend) for name, operation in OPERATIONS.items()}
        rekognition = Rekognition(operations, self._gate)
        self.refuse_malformed = rekognition.refuse_malformed
        acts = Acts(backend, self._gate.pictures, self._is_ready)
        self.router = Router(
            [
                Route("/healthz", _alive),
                Route("/readyz", self._ready),
                Route(
                    "/metrics",
                    MetricsPage(registry, settings.metrics_token.get_secret_value()).show,
                ),
            ],
            redirect_slashes=False,
            default=below({"/v1/": OwnActs(acts, self._gate)}, otherwise=rekognition),
        )

    def ensure_first_key(self) -> IssuedSecret | None:
        """Make an admin's key where there is none at all; its secret is given this once."""
        home = self.home
        return KeyActs(home, home.somebody).ensure_first()

    def close(self) -> None:
        """Finish what was begun, and let go of the home."""
        try:
            self._upkeep.close()
            self._gate.close()
        finally:
            self.home.close()

    async def _ready(self, request: Request) -> Response:
        ready = await run_in_threadpool(self._is_ready)
        return JSONResponse({"ready": ready}, 200 if ready else 503)

    def _is_ready(self) -> bool:
        """Say whether acts can be done: networks are loaded before anything is listened to."""
        try:
            self.home.database.read(lambda connection: connection.execute(text("SELECT 1")))
        except LikenessError:
            return False
        return True


async def _alive(request: Request) -> Response:
    return JSONResponse({"alive": True})


def _backend(home: Home, finders: Finders) -> Backend:
    """Put together what operations need; networks are loaded, and what their scores mean."""
    backend = Backend(
        **home_parts(home, finders.of),
        buckets=buckets_of(home.installation.settings),
        page_tokens=PageTokens(home.keyring, now),
        request_tokens=RequestTokens(home.keyring, now),
        account=_ACCOUNT,
    )
    backend.finder_of(None)
    backend.calibration_of(None)
    return backend


def _tell_of_better_models(home: Home) -> None:
    """Log which collections have another model than new ones take; by id, for names are theirs."""
    for collection in home.gallery.collections():
        better = better_recogniser(home.installation, collection)
        if better is not None:
            _logger.info(
                "collection %s goes on with its model %s, and a better one exists, %s: `likeness"
                " collections re-embed` moves it",
                collection.id,
                collection.model,
                better,
            )
