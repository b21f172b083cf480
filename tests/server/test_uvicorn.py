"""The version of uvicorn that `HttpConnection` is written over, and what it takes of it.

uvicorn promises nothing of its protocol classes: `HttpConnection` overrides their callbacks and
reads their state, so that limits hold which uvicorn has none of. With another version that state
may be kept elsewhere, and a limit would be gone without an error. Whoever takes a new version reads
`uvicorn/protocols/http/httptools_impl.py` beside ours, runs the tests of connections, hostile
senders and stopping, and moves the pin in pyproject.toml.
"""

import ast
import inspect
import tomllib
from importlib.metadata import version
from pathlib import Path
from textwrap import dedent

from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import Server

from likeness.server import http_connection

PROJECT = Path(__file__).parents[2] / "pyproject.toml"
CALLBACKS = (
    "connection_made", "connection_lost", "data_received", "eof_received", "pause_writing",
    "resume_writing", "shutdown", "send_400_response", "on_message_begin", "on_header",
    "on_headers_complete", "on_body", "on_message_complete", "on_response_complete",
)  # fmt: skip
STATE = (
    "app_state", "config", "connections", "cycle", "flow", "headers", "loop", "parser", "pipeline",
    "scheme", "scope", "timeout_keep_alive_task", "transport",
)  # fmt: skip
SERVER = ("config", "server_state", "servers", "should_exit", "started")
CYCLE = ("keep_alive", "more_body", "response_complete", "response_started")


def test_uvicorn_is_the_version_that_the_connection_is_written_over() -> None:
    dependencies = tomllib.loads(PROJECT.read_text())["project"]["dependencies"]
    (pin,) = [one for one in dependencies if one.startswith("uvicorn")]
    assert pin.startswith("uvicorn==")
    assert version("uvicorn").startswith(pin.removeprefix("uvicorn==").removesuffix("*"))


def test_what_the_connection_takes_of_uvicorn_is_there() -> None:
    assert all(callable(getattr(HttpToolsProtocol, name)) for name in CALLBACKS)
    assert set(STATE) <= assigned(HttpToolsProtocol)
    assert set(SERVER) <= assigned(Server)
    assert callable(Server.startup)
    assert set(CYCLE) <= assigned(RequestResponseCycle)
    assert "write_paused" in assigned(FlowControl)


def test_the_connection_takes_nothing_private_of_uvicorn() -> None:
    tree = ast.parse(inspect.getsource(http_connection))
    own = vars(http_connection.HttpConnection).keys() | assigned(http_connection.HttpConnection)
    private = {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr.startswith("_") and node.attr[1] != "_"
    }
    assert private <= own


def assigned(kind: type) -> set[str]:
    """The attributes that a class gives its objects."""
    tree = ast.parse(dedent(inspect.getsource(kind)))
    return {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store)
    }
