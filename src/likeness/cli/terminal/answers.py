"""Prints what commands answer with: lines of text, or one JSON document with stable keys."""

import json
from collections.abc import Iterable
from typing import Any

from likeness.cli.terminal.exit_codes import DOCUMENT_PRINTED
from likeness.cli.terminal.plain_text import plain
from likeness.errors import LikenessError

Json = dict[str, Any]


def print_json(document: Json) -> None:
    """Print the one document of a command, in ASCII: it is valid and harmless on any stream."""
    DOCUMENT_PRINTED.set(True)
    print(json.dumps(document, indent=2, allow_nan=False))


def print_json_line(document: Json) -> None:
    """Print a document on one line, at once: an error, or one of many of a command that lasts."""
    print(json.dumps(document, allow_nan=False), flush=True)


def print_answer(as_json: bool, document: Json, lines: Iterable[str]) -> None:
    """Print what a command came to: the document where `--json` was given, else lines of text."""
    if as_json:
        print_json(document)
        return
    for line in lines:
        print(plain(line))


def error_json(error: LikenessError) -> Json:
    """Why there is no answer."""
    return failure_json(error.kind, str(error))


def failure_json(kind: str, message: str) -> Json:
    """Why there is no answer; `type` is a name of the tree in `likeness.errors`, and so is `kind`.

    The latter is what 0.1.0 calls it.
    """
    return {"type": kind, "kind": kind, "message": message}
