"""The settings for proxies in docs/server.md have what signatures and pictures need."""

import re
from pathlib import Path

import pytest

from likeness.console.application import LIMITS as CONSOLE
from likeness.server import BodyLimits
from likeness.v1.application import LIMITS as OWN_ACTS

PAGE = (Path(__file__).parents[2] / "docs" / "server.md").read_text()


def settings(name: str) -> str:
    (found,) = re.findall(rf"```{name}\n(.*?)```", PAGE, re.DOTALL)
    return str(found)


@pytest.mark.parametrize(
    "line",
    [
        "proxy_set_header Host $http_host;",  # `$host` leaves the port out, the default is its own
        "proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;",
        "proxy_pass http://127.0.0.1:8020;",  # with no path, which would be put for the client's
        "proxy_http_version 1.1;",
        "proxy_buffering off;",
        "location ~ ^/(healthz|readyz|metrics)$ {",
    ],
)
def test_nginx_passes_on_what_is_signed(line: str) -> None:
    assert line in [one.strip() for one in settings("nginx").splitlines()]


def test_proxies_pass_on_the_largest_body() -> None:
    most = max(limits.body_bytes for limits in (BodyLimits(), OWN_ACTS, CONSOLE)) >> 20
    assert f"client_max_body_size {most}m;" in settings("nginx")
    assert f"max_size {most}MiB" in settings("caddy")


def test_caddy_keeps_to_itself_what_asks_for_no_key() -> None:
    assert "@own path /healthz /readyz /metrics" in settings("caddy")
    assert "respond @own 404" in settings("caddy")
    assert "header_up Host" not in settings("caddy")  # it is passed on as it is
