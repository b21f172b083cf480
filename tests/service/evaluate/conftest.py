"""An endpoint that does as a test tells it."""

from collections.abc import Iterator

import pytest
from botocore.loaders import create_loader
from botocore.session import Session

from likeness.service.evaluate.systems.endpoint import client as client_module
from tests.service.evaluate.fake_endpoint import (
    FakeEndpoint,
    serving,
)

# To read what operations there are takes half a second.
_LOADER = create_loader()


class _QuickSession(Session):
    def __init__(self) -> None:
        super().__init__()
        self.register_component("data_loader", _LOADER)


@pytest.fixture
def endpoint(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeEndpoint]:
    monkeypatch.setattr(client_module, "Session", _QuickSession)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "id")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setattr(client_module, "_FIRST_PAUSE_S", 0.001)
    monkeypatch.setattr(client_module, "_LONGEST_PAUSE_S", 0.01)
    with serving(FakeEndpoint()) as served:
        yield served
