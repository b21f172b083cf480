"""The pages as a door of the server: who is signed in, which page, and what is wrong in its words.

1. A body is read when it is known who sends it: from strangers, of a sign-in alone, and little.
2. What changes something comes by POST from a page of ours: its `Origin` is this host, and its form
   brings what only a page of the same session holds.
3. A form is done once, however often it is sent; whoever sends it again is led where it has led.
4. Where a session is over, what was written stays in the form to sign in, and comes back after it.
5. Nothing that was asked for is in a log but the route.
"""

import asyncio
import logging
from contextlib import suppress
from functools import partial
from hmac import compare_digest
from urllib.parse import parse_qsl, quote, urlsplit

from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect

from likeness.console.browsers import (
    asked,
    cookies_for,
    is_from_here,
    page_before,
    path_of,
    token_of,
)
from likeness.console.drafts import MOST_WRITTEN, keep_draft, take_draft, written_in
from likeness.console.drawing import draw
from likeness.console.forms import read_form
from likeness.console.memory import BEING_DONE, Memories, Notice
from likeness.console.pages import ROUTER
from likeness.console.problems import (
    NoSuchPage,
    NotAllowed,
    NotFromHere,
    SessionOver,
    code_of,
    said_of,
    status_of,
)
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
)
from likeness.console.wording import choose_language
from likeness.errors import (
    InputError,
    InvalidRequest,
    LikenessError,
    Refused,
    StateError,
    TooBusy,
)
from likeness.server import Answer, BodyLimits, Door, Exchange, Gate, Lane, whereabouts
from likeness.server.errors import BodyTooLarge, KeysUnavailable, RequestError
from likeness.service.govern.policy import is_anything_stopped
from likeness.service.govern.sign_in import SignedIn, find_signed_in, note_use
from likeness.terms import Action

_logger = logging.getLogger(__name__)

SIGN_IN = f"{ROOT}/sign-in"
LIMITS = BodyLimits(body_bytes=24 << 20, held_bytes=192 << 20)
_MOST_ASKED, _LONGEST_ONCE = 100, 64
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
        path, method = path_of(exchange.scope), exchange.head.method
        if path.endswith("/"):
            return _redirect(path.rstrip("/") + asked(exchange.head.query))
        if path.startswith(f"{ROOT}/static/"):
            return self._static(exchange, path)
        found = ROUTER.find(method, path)
        exchange.operation = "unknown page" if found is None else _operation(found[0])
        visit = self._visit(exchange, path)
        try:
            await self._recognise(exchange, visit)
            return await self._answered(exchange, visit, found)
        except ClientDisconnect:
            raise
        except Exception as error:
            return self._worded(error, exchange, visit)

    def word(self, error: Exception, request_id: object, operation: str) -> Answer:
        """Say what went wrong before it was known who asks."""
        words = "Something went wrong. Reload the page."
        if isinstance(error, RequestError | NoSuchPage):
            words = str(error)
        headers = {"content-type": "text/plain; charset=utf-8"}
        return Answer(status_of(error), code_of(error), words.encode(), headers)

    def _visit(self, exchange: Exchange, path: str) -> Visit:
        headers = Headers(scope=exchange.scope)
        return Visit(
            self._offered,
            choose_language(headers.get("accept-language", "")),
            path,
            {},
            _query(exchange.head.query),
            exchange.address,
            headers=headers,
        )

    async def _recognise(self, exchange: Exchange, visit: Visit) -> None:
        """Find out whose session it is."""
        token = token_of(exchange.scope)
        find = partial(find_signed_in, self._offered.home, token)
        who = await self.gate.recognise(find, exchange.address) if token else None
        if who is not None:
            exchange.principal = who.principal
            visit.signed_in, visit.token = who, token
            visit.memory = self._memories.of(token)
            self.gate.rates.take(who.principal.id)

    async def _answered(
        self, exchange: Exchange, visit: Visit, found: tuple[Route, dict[str, str]] | None
    ) -> Answer:
        who, posts = visit.signed_in, exchange.head.method == "POST"
        if found is None:
            raise NoSuchPage
        route, visit.params = found
        if posts:
            await self._read(exchange, visit, route)
        if who is None and not route.is_open:
            raise SessionOver
        if posts and not route.is_open and not _is_of_session(exchange, visit):
            raise NotFromHere
        if route.needs is not None and not visit.may(route.needs):
            raise NotAllowed
        by = who.principal.id if who is not None else exchange.address
        act = partial(self._done if posts else _shown, route, visit)
        answer = await self._lane(route, who).run(act, by, exchange.stages)
        if visit.proof.receipt is not None:
            exchange.headers["x-likeness-receipt"] = visit.proof.receipt
        if isinstance(answer, Redirect):
            return self._led(exchange, visit, answer)
        return answer

    async def _read(self, exchange: Exchange, visit: Visit, route: Route) -> None:
        """Read a form."""
        body, who = exchange.body, visit.signed_in
        if not is_from_here(exchange.scope):
            raise NotFromHere
        if who is None:
            body.count_for(f"address {exchange.address}")
            body.allow(MOST_WRITTEN)
        else:
            body.is_proven = True
            body.count_for(f"key {who.key.id}")
        try:
            await body.read()
        except BodyTooLarge:
            if who is None and not route.is_open:
                raise SessionOver from None  # what was written is lost, and nobody knows whose
            raise
        read = partial(read_form, Headers(scope=exchange.scope), bytes(body.content))
        if who is None:
            visit.form = await asyncio.to_thread(read)
        else:
            visit.form = await self.gate.rows.run(read, who.principal.id)

    def _lane(self, route: Route, who: SignedIn | None) -> Lane:
        if who is None or route.hashes:
            return self.gate.sign_ins
        return self.gate.pictures if route.sees else self.gate.rows

    def _done(self, route: Route, visit: Visit) -> Answer | Redirect:
        """Do what a form asks for, once."""
        _note_use(visit)
        _look_at_stop_switch(visit)
        once, memory = visit.form.text("once"), visit.memory
        if len(once) > _LONGEST_ONCE:  # what is remembered is drawn by us
            raise InvalidRequest("Not a form of this page. Reload the page, and send it again.")
        if once and (led := memory.begin(once)) is not None:
            if led == BEING_DONE:
                raise TooBusy("This is being done already. Reload the page in a moment.")
            # Who clicked twice has yet to read what the first has led to.
            said = None if memory.notices else visit.t("problem.done_already")
            return Redirect(led, said)
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
        memory = self._memories.of(to.token) if to.token else visit.memory
        for words, is_remark in ((to.said, False), (to.remark, True)):
            if words:
                memory.say(Notice(words, is_remark))
        if to.shows is not None:
            memory.leave(urlsplit(to.location).path, to.shows)
        if to.token and (draft := visit.form.secret("draft")):
            keep_draft(memory, to.location, draft)
        answer = _redirect(to.location)
        if to.token is None:
            return answer
        if visit.token:
            self._memories.forget(visit.token)
        headers = {**answer.headers, "set-cookie": cookies_for(exchange.scope, to.token)}
        return Answer(answer.status, answer.code, answer.content, headers)

    def _static(self, exchange: Exchange, path: str) -> Answer:
        exchange.operation = "GET /console/static"
        found = find_file(path.removeprefix(f"{ROOT}/"))
        if found is None or exchange.head.method not in ("GET", "HEAD"):
            return self.word(NoSuchPage("There is no such file."), exchange.request_id, "")
        content, media_type = found
        headers = {"content-type": media_type}
        if exchange.head.query:
            headers["cache-control"] = "public, max-age=31536000, immutable"
            exchange.headers.pop("cache-control")
        return Answer(200, "OK", content, headers)

    def _worded(self, error: Exception, exchange: Exchange, visit: Visit) -> Answer:
        """Show a page that says what went wrong; a fault keeps its reason to itself."""
        if isinstance(error, KeysUnavailable) and isinstance(error.__cause__, Exception):
            error = error.__cause__
        status = status_of(error)
        if isinstance(error, SessionOver):
            return self._over(exchange, visit)
        if status >= 500:
            _logger.error("request %s failed: %s", exchange.request_id, whereabouts(error))
        if visit.proof.receipt is not None:
            exchange.headers["x-likeness-receipt"] = visit.proof.receipt
        visit.problem = None  # of a form that cannot be shown again: what is said here says it
        page = Page("problem.html", {"said": said_of(error, visit), "status": status}, status)
        answer = _answer(page, visit)
        return Answer(status, code_of(error), answer.content, answer.headers)

    def _over(self, exchange: Exchange, visit: Visit) -> Answer:
        """Ask to sign in, and keep what was written."""
        if exchange.head.method != "POST":
            back = quote(visit.path + asked(exchange.head.query), safe="/")
            return _redirect(f"{SIGN_IN}?next={back}")
        draft = written_in(visit.form)
        values = {
            "next": self._page_with(exchange, visit),
            "draft": draft,
            "said": visit.t("sign_in.over" if draft else "sign_in.over_unsent"),
        }
        return Answer(
            401,
            "SessionOver",
            _answer(Page("sign_in.html", values), visit).content,
            {"content-type": "text/html; charset=utf-8"},
        )

    def _page_with(self, exchange: Exchange, visit: Visit) -> str:
        """Give the page that has the form which was sent."""
        before = page_before(exchange.scope)
        page = ROUTER.find("GET", urlsplit(before).path)
        if page is not None and not page[0].is_open:
            return before
        return visit.path if ROUTER.find("GET", visit.path) is not None else ROOT


def _outcome(route: Route, visit: Visit) -> Outcome:
    try:
        return route.act(visit)
    except (InputError, StateError, Refused, TooBusy) as error:
        if route.again is None:
            raise
        visit.problem = visit.problem_of(said_of(error, visit))
        shown = route.again(visit)
        if isinstance(shown, Page):
            return Page(shown.template, shown.values, status_of(error))
        return shown


def _shown(route: Route, visit: Visit) -> Answer | Redirect:
    _note_use(visit)
    _look_at_stop_switch(visit)
    if (draft := take_draft(visit)) is not None:
        visit.form = draft
        visit = visit.with_problem(visit.problem_of(visit.t("sign_in.draft_kept")))
    outcome = _outcome(route, visit)
    return outcome if isinstance(outcome, Redirect) else _answer(outcome, visit)


def _note_use(visit: Visit) -> None:
    if visit.signed_in is not None and visit.signed_in.is_stale:
        note_use(visit.home, visit.token)


def _look_at_stop_switch(visit: Visit) -> None:
    if visit.may(Action.AUDIT):
        with suppress(LikenessError):  # whatever keeps it from being read says so by itself
            visit.is_stopped = is_anything_stopped(visit.home)


def _answer(outcome: Page | Download | Streamed, visit: Visit) -> Answer:
    if isinstance(outcome, Streamed):
        pieces, length = outcome.pieces, outcome.length
        return Answer(outcome.status, "OK", b"", outcome.headers, pieces, length)
    if isinstance(outcome, Download):
        headers = {"content-type": outcome.media_type}
        if outcome.filename is not None:
            headers["content-disposition"] = _disposition(outcome.filename)
        return Answer(200, "OK", outcome.content, headers)
    headers = {"content-type": "text/html; charset=utf-8"}
    code = "OK" if outcome.status < 400 else str(outcome.status)
    return Answer(outcome.status, code, draw(outcome, visit), headers)


def _disposition(filename: str) -> str:
    """Say that a file is to be saved, under a name that may hold anything (RFC 6266)."""
    return f"attachment; filename*=UTF-8''{quote(filename, safe='')}"


def _query(query: str) -> dict[str, str]:
    try:
        return dict(parse_qsl(query, keep_blank_values=True, max_num_fields=_MOST_ASKED))
    except ValueError:
        return {}


def _operation(route: Route) -> str:
    return f"{route.method} {ROOT}{route.path}"


def _redirect(location: str) -> Answer:
    return Answer(303, "OK", b"", {"location": location})


def _is_of_session(exchange: Exchange, visit: Visit) -> bool:
    sent = Headers(scope=exchange.scope).get("x-csrf", "") or visit.form.text("csrf")
    return compare_digest(sent.encode(), csrf_of(visit.token).encode())
