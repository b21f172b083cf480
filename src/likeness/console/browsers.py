"""What a browser says of a request, and keeps for us: where it comes from, and its session.

1. The session's token is in a cookie that scripts do not see, that no other site's page sends
   along with a form, and that ends with the browser. Behind TLS its name begins with `__Host-`: no
   neighbour in the same domain can put one of theirs in its place (RFC 6265bis, section 4.1.3).
2. Whether a request came by TLS a proxy says, and it is believed where the operator named one.
3. A form is taken where `Origin` is this host, as browsers say of every POST.
"""

from urllib.parse import quote, unquote, urlsplit

from starlette.datastructures import Headers
from starlette.requests import cookie_parser
from starlette.types import Scope

from likeness.console.visit import ROOT
from likeness.server.addresses import PROXIED

COOKIE, SECURE_COOKIE = "likeness-session", "__Host-likeness-session"
_LONGEST_TOKEN = 100


def token_of(scope: Scope) -> str:
    """Give the token of a session; nothing where a browser keeps none."""
    found: dict[str, str] = {}
    for value in Headers(scope=scope).getlist("cookie"):
        found |= cookie_parser(value)
    token = found.get(SECURE_COOKIE, "")
    if not token and not is_secure(scope):
        token = found.get(COOKIE, "")
    return token if token.isascii() and len(token) <= _LONGEST_TOKEN else ""


def cookies_for(scope: Scope, token: str) -> str:
    """Give the header that has a browser keep a token, or, of an empty one, forget it."""
    # Forms say by their origin how a browser sees us, whatever a proxy says.
    sees_tls = Headers(scope=scope).get("origin", "").startswith("https://")
    kept = token if token else "over; Max-Age=0"
    if sees_tls or is_secure(scope):
        return f"{SECURE_COOKIE}={kept}; Path=/; HttpOnly; SameSite=Lax; Secure"
    return f"{COOKIE}={kept}; Path={ROOT}; HttpOnly; SameSite=Lax"


def is_secure(scope: Scope) -> bool:
    """Say whether a request came by TLS, to us or to the operator's proxy."""
    if scope.get("scheme") == "https":
        return True
    is_proxied = PROXIED in scope.get("state", {})
    said = Headers(scope=scope).get("x-forwarded-proto", "")
    return is_proxied and said.rpartition(",")[2].strip().casefold() == "https"


def is_from_here(scope: Scope) -> bool:
    """Say whether a form comes from a page of this host, as far as a browser says so."""
    headers = Headers(scope=scope)
    origin, site = headers.get("origin"), headers.get("sec-fetch-site", "same-origin")
    if site not in ("same-origin", "none"):
        return False
    return origin is None or _host(origin) == headers.get("host", "").casefold()


def page_before(scope: Scope) -> str:
    """Give the page of ours that somebody came from, with its query; nothing where none is said."""
    headers = Headers(scope=scope)
    before = headers.get("referer", "")
    if _host(before) != headers.get("host", "").casefold():
        return ""
    return one_way_of_writing(urlsplit(before).path) + asked(urlsplit(before).query)


def path_of(scope: Scope) -> str:
    """Give the path of a request as `link` writes it."""
    return one_way_of_writing(scope["raw_path"].decode("latin-1").partition("?")[0])


def one_way_of_writing(path: str) -> str:
    """Write a path that is percent-encoded somehow as `link` writes it."""
    return "/".join(quote(unquote(part), safe="") for part in path.split("/"))


def asked(query: str) -> str:
    """Write a query so that it fits behind a path."""
    return f"?{quote(query, safe='=&%+')}" if query else ""


def _host(address: str) -> str:
    try:
        return urlsplit(address).netloc.casefold()
    except ValueError:
        return ""
