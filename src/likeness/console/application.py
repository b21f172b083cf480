"""The pages as a door of the server: who is signed in, which page, and what is wrong in its words.

1. A body is read when it is known who sends it: from strangers, of a sign-in alone, and little.
2. What changes something comes by POST from a page of ours: its `Origin` is this host, and its form
   brings what only a page of the same session holds.
3. A form is done once, however often it is sent; whoever sends it again is led where it has led.
4. Where a session is over, what was written stays in the form to sign in, and comes back after it.
5. Nothing that was asked for is in a log but the route.
"""

import json
import logging
from collections.abc import Mapping
from functools import partial
from hmac import compare_digest
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qsl, quote, urlsplit

from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect

from likeness.console.drawing import draw
from likeness.console.forms import Form, read_form
from likeness.console.memory import BEING_DONE, Memories, Memory
from likeness.console.pages import ROUTER
from likeness.console.router import Route
from likeness.console.static import find_file
from likeness.console.visit import (
    ROOT,
    Download,
    Offered,
    Outcome,
    Page,
    Redirect,
    Streamed,
    Visit,
    csrf_of,
    link,
)
from likeness.console.wording import choose_language
from likeness.errors import (
    DatabaseInUse,
    Fault,
    InputError,
    LikenessError,
    LimitReached,
    NotFound,
    Refused,
    StateError,
    TooBusy,
)
from likeness.server import Answer, BodyLimits, Door, Exchange, Gate, Lane
from likeness.server.errors import (
    BodyTooLarge,
    BodyTooSlow,
    KeysUnavailable,
    RequestError,
    Stopped,
    TooLate,
    TooManyRequests,
)
from likeness.service.govern.sign_in import SignedIn, find_signed_in

_logger = logging.getLogger(__name__)

SIGN_IN = f"{ROOT}/sign-in"
LIMITS = BodyLimits(body_bytes=24 << 20, held_bytes=192 << 20)
_STRANGERS_BYTES = 64 << 10
_COOKIE = "likeness-session"
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:;"
    " media-src 'self' blob:; connect-src 'self'; form-action 'self'; base-uri 'none';"
    " frame-ancestors 'none'"
)
_HEADERS = {
    "cache-control": "no-store",
    "content-security-policy": _POLICY,
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(self), microphone=(), geolocation=()",
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
}


class SessionOver(RequestError):
    """Nobody is signed in, or not any more."""


class NotFromHere(RequestError):
    """A form came from somewhere else, or from a page of another session."""


class NotAllowed(RequestError):
    """The role of whoever is signed in does not allow this."""


class NoSuchPage(RequestError):
    """There is no page of this path."""


_STATUS: tuple[tuple[type[Exception], int], ...] = (
    (NoSuchPage, 404),
    (NotAllowed, 403),
    (NotFromHere, 403),
    (InputError, 400),
    (NotFound, 404),
    (LimitReached, 429),
    (StateError, 409),
    (Refused, 403),
    (Fault, 503),
    (BodyTooLarge, 413),
    (BodyTooSlow, 408),
    (TooManyRequests, 429),
    (RequestError, 503),
    (ClientDisconnect, 499),
    (Exception, 500),
)
"""The status of each error; the first counts."""


class Application(Door):
    """Answers what begins with `/console`."""

    def __init__(self, offered: Offered, gate: Gate, limits: BodyLimits = LIMITS) -> None:
        super().__init__(gate, limits)
        self._offered = offered
        self._memories = Memories()

    def open(self, exchange: Exchange) -> bool:
        """Say that no signature is needed: sessions say who asks."""
        exchange.headers.update(_HEADERS)
        exchange.headers["x-request-id"] = str(exchange.request_id)
        return False

    async def answer(self, exchange: Exchange) -> Answer:
        """Show a page, or do what a form asks for."""
        head = exchange.head
        path, _, query = _target(exchange)
        if path in (ROOT, f"{ROOT}/static") or (path.endswith("/") and path != "/"):
            wanted = ROOT + "/try" if path.rstrip("/") == ROOT else path.rstrip("/")
            return _redirect(wanted)
        if path.startswith(f"{ROOT}/static/"):
            return self._static(exchange, path, query)
        found = ROUTER.find(head.method, path)
        exchange.operation = "unknown page" if found is None else _operation(found[0])
        token = _token_of(exchange.scope)
        signed_in = (
            await self.gate.recognise(
                partial(find_signed_in, self._offered.home, token), exchange.address
            )
            if token
            else None
        )
        if signed_in is not None:
            exchange.principal = signed_in.principal
            self.gate.rates.take(signed_in.principal.id)
        visit = self._visit(exchange, path, query, signed_in, token if signed_in else "")
        try:
            return await self._answered(exchange, visit, found)
        except Exception as error:
            if isinstance(error, ClientDisconnect):
                raise
            return self._worded(error, exchange, visit)

    def word(self, error: Exception, request_id: object, operation: str) -> Answer:
        """Say what went wrong before it was known who asks."""
        words = "Something went wrong. Reload the page."
        status = next(status for kind, status in _STATUS if isinstance(error, kind))
        if isinstance(error, RequestError):
            words = str(error)
        headers = {"content-type": "text/plain; charset=utf-8"}
        return Answer(status, _code(error, status), words.encode(), headers)

    def _visit(
        self,
        exchange: Exchange,
        path: str,
        query: str,
        signed_in: SignedIn | None,
        token: str,
    ) -> Visit:
        headers = Headers(scope=exchange.scope)
        return Visit(
            self._offered,
            choose_language(headers.get("accept-language", "")),
            path,
            {},
            dict(parse_qsl(query, keep_blank_values=True, max_num_fields=100)),
            exchange.address,
            signed_in=signed_in,
            token=token,
            memory=self._memories.of(token) if signed_in else Memory(),
            headers=headers,
        )

    async def _answered(
        self, exchange: Exchange, visit: Visit, found: tuple[Route, dict[str, str]] | None
    ) -> Answer:
        head, body, who = exchange.head, exchange.body, visit.signed_in
        posts = head.method == "POST"
        is_open = found is not None and found[0].is_open
        if who is None:
            body.count_for(f"address {exchange.address}")
            body.allow(_STRANGERS_BYTES)
        else:
            body.is_proven = True
            body.count_for(f"key {who.key.id}")
        if posts:
            _require_from_here(exchange)
            await body.read()
            visit.form = await read_form(Headers(scope=exchange.scope), bytes(body.content))
            body.let_go()
        if found is None:
            raise NoSuchPage
        route, visit.params = found
        if not is_open and who is None:
            raise SessionOver
        if posts and who is not None and not _is_of_session(exchange, visit):
            raise NotFromHere
        if route.needs is not None and not visit.may(route.needs):
            raise NotAllowed
        by = who.principal.id if who is not None else exchange.address
        answer = await self._lane(route, who).run(
            partial(self._done_once if posts else _shown, route, visit), by, exchange.stages
        )
        if visit.proof.receipt is not None:
            exchange.headers["x-likeness-receipt"] = visit.proof.receipt
        if isinstance(answer, Redirect):
            return self._led(exchange, visit, answer)
        return answer

    def _lane(self, route: Route, who: SignedIn | None) -> Lane:
        if who is None or route.path == "/sign-in":
            return self.gate.sign_ins
        return self.gate.pictures if route.sees else self.gate.rows

    def _done_once(self, route: Route, visit: Visit) -> Answer | Redirect:
        once = visit.form.text("once")
        memory = visit.memory
        if once and (led := memory.begin(once)) is not None:
            if led == BEING_DONE:
                raise TooBusy("This is being done already. Reload the page in a moment.")
            return Redirect(led)
        location: str | None = None
        try:
            outcome = _outcome(route, visit)
            if isinstance(outcome, Redirect):
                location = outcome.location
                return outcome
            return _answer(outcome, visit)
        finally:
            if once:
                memory.finish(once, location)

    def _led(self, exchange: Exchange, visit: Visit, to: Redirect) -> Answer:
        memory = visit.memory if to.token is None else self._memories.of(to.token)
        if to.said is not None:
            memory.say(to.said)
        if to.token and (draft := visit.form.secret("draft")):
            _keep_draft(memory, to.location, draft)
        answer = _redirect(to.location)
        if to.token is None:
            return answer
        secure = "; Secure" if _is_secure(exchange) else ""
        kept = f"{to.token}" if to.token else "over; Max-Age=0"
        cookie = f"{_COOKIE}={kept}; Path={ROOT}; HttpOnly; SameSite=Lax{secure}"
        return Answer(
            answer.status, answer.code, answer.content, {**answer.headers, "set-cookie": cookie}
        )

    def _static(self, exchange: Exchange, path: str, query: str) -> Answer:
        exchange.operation = "GET /console/static"
        found = find_file(self._offered.htmx, path.removeprefix(f"{ROOT}/"))
        if found is None or exchange.head.method not in ("GET", "HEAD"):
            return self.word(NoSuchPage("There is no such file."), exchange.request_id, "")
        content, media_type = found
        headers = {"content-type": media_type}
        if query:
            headers["cache-control"] = "public, max-age=31536000, immutable"
        return Answer(200, "OK", content, headers)

    def _worded(self, error: Exception, exchange: Exchange, visit: Visit) -> Answer:
        """Show a page that says what went wrong; a fault keeps its reason to itself."""
        if isinstance(error, KeysUnavailable) and isinstance(error.__cause__, Exception):
            error = error.__cause__
        status = next(status for kind, status in _STATUS if isinstance(error, kind))
        if isinstance(error, SessionOver):
            return self._over(exchange, visit)
        if status >= 500:
            _logger.error("request %s: %s", exchange.request_id, type(error).__name__)
        if visit.proof.receipt is not None:
            exchange.headers["x-likeness-receipt"] = visit.proof.receipt
        page = Page("problem.html", {"said": _said(error, visit), "status": status}, status)
        answer = _answer(page, visit)
        return Answer(status, _code(error, status), answer.content, answer.headers)

    def _over(self, exchange: Exchange, visit: Visit) -> Answer:
        """Ask to sign in, and keep what was written."""
        fields = {
            name: list(values)
            for name, values in visit.form.fields.items()
            if name not in ("csrf", "once") and not name.startswith("secret")
        }
        if exchange.head.method != "POST":
            back = visit.path if visit.path != f"{ROOT}/sign-out" else link("try")
            return _redirect(f"{SIGN_IN}?next={quote(back)}")
        values = {"next": visit.path, "draft": json.dumps(fields), "wait_s": 0, "is_over": True}
        answer = _answer(Page("sign_in.html", values, 401), visit)
        return Answer(401, "SessionOver", answer.content, answer.headers)


def _outcome(route: Route, visit: Visit) -> Outcome:
    try:
        return route.act(visit)
    except (InputError, StateError, Refused, TooBusy) as error:
        if route.again is None:
            raise
        visit.problem = visit.problem_of(_said(error, visit))
        shown = route.again(visit)
        if isinstance(shown, Page):
            status = next(status for kind, status in _STATUS if isinstance(error, kind))
            return Page(shown.template, shown.values, status)
        return shown


def _shown(route: Route, visit: Visit) -> Answer | Redirect:
    if (draft := visit.memory.take_draft(visit.path)) is not None:
        visit.form = Form(draft)
        visit = visit.with_problem(visit.problem_of(visit.t("sign_in.draft_kept")))
    outcome = _outcome(route, visit)
    return outcome if isinstance(outcome, Redirect) else _answer(outcome, visit)


def _answer(outcome: Page | Download | Streamed, visit: Visit) -> Answer:
    if isinstance(outcome, Streamed):
        pieces, length = outcome.pieces, outcome.length
        return Answer(outcome.status, "OK", b"", outcome.headers, pieces, length)
    if isinstance(outcome, Download):
        headers = {"content-type": outcome.media_type}
        if outcome.filename is not None:
            headers["content-disposition"] = f'attachment; filename="{outcome.filename}"'
        return Answer(200, "OK", outcome.content, headers)
    headers = {"content-type": "text/html; charset=utf-8"}
    code = "OK" if outcome.status < 400 else str(outcome.status)
    return Answer(outcome.status, code, draw(outcome, visit), headers)


def _said(error: Exception, visit: Visit) -> str:
    """Say what went wrong, in the words of the error or of the texts."""
    match error:
        case NotAllowed():
            return visit.t("problem.not_allowed", role=visit.principal.role.value)
        case NotFromHere():
            return visit.t("problem.not_from_here")
        case NoSuchPage():
            return visit.t("problem.no_such_page")
        case TooBusy():
            return visit.t("problem.too_busy")
        case DatabaseInUse():
            return visit.t("problem.in_use")
        case Fault():
            return visit.t("problem.fault", kind=type(error).__name__)
        case TooLate() | Stopped():
            return visit.t("problem.too_late")
        case LikenessError() | RequestError():
            return str(error)
        case _:
            return visit.t("problem.unforeseen")


def _code(error: Exception, status: int) -> str:
    return getattr(error, "kind", type(error).__name__) if status != 500 else "500"


def _target(exchange: Exchange) -> tuple[str, str, str]:
    # As it was sent, since what a part of it holds may be a slash.
    path = exchange.scope["raw_path"].decode("latin-1")
    return path, "?", exchange.scope.get("query_string", b"").decode("latin-1")


def _operation(route: Route) -> str:
    return f"{route.method} {ROOT}{route.path}"


def _redirect(location: str) -> Answer:
    return Answer(303, "OK", b"", {"location": location})


def _token_of(scope: Mapping[str, object]) -> str:
    cookies: SimpleCookie = SimpleCookie()
    try:
        for value in Headers(scope=dict(scope)).getlist("cookie"):
            cookies.load(value)
    except CookieError:
        return ""
    found = cookies.get(_COOKIE)
    return found.value if found is not None and found.value.isascii() else ""


def _require_from_here(exchange: Exchange) -> None:
    """Refuse what another site's page sends: browsers say of a POST where it comes from."""
    headers = Headers(scope=exchange.scope)
    origin, site = headers.get("origin"), headers.get("sec-fetch-site", "same-origin")
    host = headers.get("host", "")
    if site not in ("same-origin", "none") or (
        origin is not None and urlsplit(origin).netloc.casefold() != host.casefold()
    ):
        raise NotFromHere


def _is_of_session(exchange: Exchange, visit: Visit) -> bool:
    sent = Headers(scope=exchange.scope).get("x-csrf", "") or visit.form.text("csrf")
    return compare_digest(sent.encode(), csrf_of(visit.token).encode())


def _is_secure(exchange: Exchange) -> bool:
    headers = Headers(scope=exchange.scope)
    return exchange.scope.get("scheme") == "https" or headers.get("x-forwarded-proto") == "https"


def _keep_draft(memory: Memory, location: str, draft: str) -> None:
    try:
        fields = json.loads(draft)
    except (ValueError, RecursionError):
        return
    if isinstance(fields, dict) and all(
        isinstance(values, list) and all(isinstance(one, str) for one in values)
        for values in fields.values()
    ):
        memory.keep_draft(urlsplit(location).path, fields)
