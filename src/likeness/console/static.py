"""The files that pages load: styles, scripts of ours, and htmx where it was fetched.

An address holds the digest of its file, so that browsers keep a file until it changes.
"""

from functools import cache
from hashlib import sha256
from importlib.resources import files

from likeness.console.visit import ROOT

_FOLDER = "static"
_TYPES = {
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
}
HTMX = "htmx.js"


def find_file(htmx: bytes | None, path: str) -> tuple[bytes, str] | None:
    """Find the content and the type of a file by its path below `/console/`; None without one."""
    folder, _, name = path.partition("/")
    content = _files().get(name) or (htmx if name == HTMX else None)
    if folder != _FOLDER or content is None:
        return None
    return content, _TYPES[name.rpartition(".")[2]]


def address_of(htmx: bytes | None, name: str) -> str | None:
    """Give the address of a file; None where it is not here, as htmx may be."""
    content = htmx if name == HTMX else _files()[name]
    if content is None:
        return None
    return f"{ROOT}/{_FOLDER}/{name}?{sha256(content).hexdigest()[:12]}"


@cache
def _files() -> dict[str, bytes]:
    folder = files("likeness.console") / _FOLDER
    return {
        file.name: file.read_bytes()
        for file in folder.iterdir()
        if file.name.rpartition(".")[2] in _TYPES
    }
