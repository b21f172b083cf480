"""Puts a server together: a home, what finds faces, who may call, the doors, and upkeep."""

import logging
import shlex
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from functools import cache, partial
from operator import methodcaller

from prometheus_client import CollectorRegistry
from sqlalchemy import text
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route, Router
from starlette.types import ASGIApp, Receive, Scope, Send

from likeness.access import IssuedSecret, KnownKeys, RequestTokens
from likeness.app.buckets import buckets_of
from likeness.app.console import offered_to_pages
from likeness.app.finders import Finders, better_recogniser
from likeness.app.home import now, open_home
from likeness.app.installation import Installation, Workload
from likeness.app.live import live_jobs
from likeness.app.notify import topics_of
from likeness.app.upkeep import Upkeep, tasks_of
from likeness.artifacts import Progress
from likeness.config import Settings
from likeness.console.application import Application as Console
from likeness.console.visit import ROOT
from likeness.errors import LikenessError
from likeness.jobs import MOST_LASTING, LocalRunner
from likeness.rekognition.application import Application as Rekognition
from likeness.rekognition.backend import Backend, PageTokens
from likeness.rekognition.operations import OPERATIONS
from likeness.server import Gate, Limits, Metrics, MetricsPage, below, open_to, read_origins
from likeness.service.govern.keys import ensure_first_key
from likeness.service.redact.jobs import RedactionJobs
from likeness.service.uses import Caller, Home
from likeness.service.video.manage import fail_job
from likeness.service.video.run import ClipJobs
from likeness.service.video.uploads import Uploads
from likeness.storage import require_sound
from likeness.terms import Closing
from likeness.v1.acts import Acts
from likeness.v1.application import Application as OwnActs
from likeness.vision.decode import Sample
from likeness.vision.every_face import Closeness, EveryFace
from likeness.vision.find import Located, Observer

_logger = logging.getLogger(__name__)

_ACCOUNT = "000000000000"
"""An installation is one account, of no number in particular; ARNs have one."""


class Serving(Closing):
    """A home that is served: `router` is the ASGI application, for `HttpServer` to run.

    `refuse_malformed` answers, and notes as a request, what never comes to it; `refusals` counts
    what is refused before there is a request.
    """

    def __init__(self, installation: Installation, progress: Progress | None = None) -> None:
        """Open the home and load the networks that new collections take; others on first use.

        Raises what `open_home` and `Installation.finder` raise, and LedgerBroken where the ledger
        is gone, or not as it was signed.
        """
        settings = installation.settings
        origins = read_origins(settings.allowed_origins)
        registry = CollectorRegistry()
        metrics = Metrics(registry)
        observer = Observer(
            metrics.stages.labels("locate").time,
            metrics.stages.labels("embed").time,
            metrics.faces.inc,
            self._in_turn,
        )
        finders = Finders(
            installation,
            Workload.MANY,
            progress,
            fetches=False,
            wrap=methodcaller("observed_by", observer),
        )
        with ExitStack() as opened:
            home = opened.enter_context(open_home(installation, finders.of))
            require_sound(home.database)
            home.ledger.require_whole()
            metrics.damaged_rows.set_function(lambda: len(home.database.damage.rows))
            topics = topics_of(settings)
            self.home = backend = _backend(home, settings, tells_topics=topics is not None)
            _tell_of_better_models(installation, home)
            self._gate = Gate(
                KnownKeys(home.freshness, home.keyring, now),
                metrics,
                Limits(
                    picture_workers=installation.workers(Workload.MANY),
                    per_key_s=settings.key_rate,
                ),
            )
            opened.callback(self._gate.close)
            self.refusals = self._gate.refusals
            uploads = Uploads(settings.home / "clips")
            tasks = tasks_of(home, uploads, shlex.split(settings.ledger_witness), topics)
            opened.callback(Upkeep(tasks).close)
            opened.enter_context(_runner(backend, installation, uploads))
            opened.enter_context(_live_runner(backend, installation))
            self._opened = opened.pop_all()
        operations = {name: partial(operation, backend) for name, operation in OPERATIONS.items()}
        rekognition = Rekognition(operations, self._gate)
        self.refuse_malformed = rekognition.refuse_malformed
        acts = Acts(backend, self._gate.pictures, self._is_ready)
        offered = offered_to_pages(backend, uploads, installation, metrics)
        self._opened.callback(offered.background.close)
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
            # Other sites' pages may sign requests with a key of theirs; ours are for people.
            default=_led_to_pages(
                below(
                    {"/console": Console(offered, self._gate)},
                    otherwise=open_to(
                        origins,
                        below({"/v1/": OwnActs(acts, self._gate)}, otherwise=rekognition),
                    ),
                )
            ),
        )

    def ensure_first_key(self) -> IssuedSecret | None:
        """Make an admin's key where there is none at all; its secret is given this once."""
        return ensure_first_key(self.home, Caller(self.home.somebody, "CreateAccessKey"))

    def close(self) -> None:
        """Finish what was begun, and let go of the home."""
        self._opened.close()

    def _in_turn(self, sample: Sample, locate: Callable[[], Located]) -> Located:
        """Have large pictures wait for one another, and nobody else for them."""
        return self._gate.large.do(locate) if sample.cost.is_large else locate()

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


def _led_to_pages(otherwise: ASGIApp) -> ASGIApp:
    """Lead whoever opens the server's bare address in a browser to the pages.

    Browsers alone ask for HTML there; clients of Rekognition POST to it.
    """

    def application(scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        asks = scope["path"] == "/" and scope.get("method") in ("GET", "HEAD")
        if asks and "text/html" in Headers(scope=scope).get("accept", ""):
            to = RedirectResponse(ROOT, 303, {"cache-control": "no-store", "vary": "accept"})
            return to(scope, receive, send)
        return otherwise(scope, receive, send)

    return application


def _runner(backend: Backend, installation: Installation, uploads: Uploads) -> LocalRunner:
    """Begin to run jobs: one at a time, which takes all processors that requests leave."""

    @cache
    def every_face(closeness: Closeness) -> EveryFace:
        return installation.every_face(installation.engine(Workload.MANY), closeness)

    acts = {
        **ClipJobs(backend, backend.buckets).acts,
        **RedactionJobs(backend, backend.buckets, uploads, every_face).acts,
    }
    return LocalRunner(
        backend.database,
        backend.keyring,
        acts,
        backend.clock,
        fail=partial(fail_job, backend),
    )


def _live_runner(backend: Backend, installation: Installation) -> LocalRunner:
    """Begin to run live searches: a thread for each, which take turns to look at frames."""
    workers = installation.workers(Workload.MANY)
    return LocalRunner(
        backend.database,
        backend.keyring,
        live_jobs(backend, installation.settings, workers).acts,
        backend.clock,
        threads=MOST_LASTING,
        lasting=True,
        fail=partial(fail_job, backend),
    )


async def _alive(request: Request) -> Response:
    return JSONResponse({"alive": True})


def _backend(home: Home, settings: Settings, *, tells_topics: bool) -> Backend:
    """Put together what operations need; networks are loaded, and what their scores mean."""
    backend = Backend(
        **home.parts(),
        buckets=buckets_of(settings),
        page_tokens=PageTokens(home.keyring, now),
        request_tokens=RequestTokens(home.keyring, now),
        account=_ACCOUNT,
        tells_topics=tells_topics,
        tells_streams=bool(settings.kinesis_endpoint),
    )
    backend.load_finder(None)
    backend.calibration_of(None)
    return backend


def _tell_of_better_models(installation: Installation, home: Home) -> None:
    """Log which collections have another model than new ones take; by id, for names are theirs."""
    for collection in home.gallery.collections():
        better = better_recogniser(installation, collection)
        if better is not None:
            _logger.info(
                "collection %s goes on with its model %s, and a better one exists, %s: `likeness"
                " collections re-embed` moves it",
                collection.id,
                collection.model,
                better,
            )
