"""The files that pages load: styles and scripts of ours.

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


def find_file(path: str) -> tuple[bytes, str] | None:
    """Find the content and the type of a file by its path below `/console/`; None without one."""
    folder, _, name = path.partition("/")
    content = _files().get(name)
    if folder != _FOLDER or content is None:
        return None
    return content, _TYPES[name.rpartition(".")[2]]


def address_of(name: str) -> str:
    """Give the address of a file."""
    return f"{ROOT}/{_FOLDER}/{name}?{sha256(_files()[name]).hexdigest()[:12]}"


@cache
def _files() -> dict[str, bytes]:
    folder = files("likeness.console") / _FOLDER
    return {
        file.name: file.read_bytes()
        for file in folder.iterdir()
        if file.name.rpartition(".")[2] in _TYPES
    }
