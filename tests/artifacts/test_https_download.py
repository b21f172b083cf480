import io
import urllib.request
from email.message import Message
from pathlib import Path
from urllib.response import addinfourl

import pytest

from likeness.artifacts import Address, Sources, catalogue
from likeness.artifacts.addresses import download_address, https_opener
from likeness.errors import ArtifactUnavailable, ModelTampered

from .conftest import WEIGHTS, fetch

HERE = "https://models.example/w.onnx"


class Body(io.BytesIO):
    """A body that is nothing once it is closed, as a connection's is."""

    def read(self, size: int | None = -1) -> bytes:
        return b"" if self.closed else super().read(size)


class Endless(Body):
    """A body without an end, which nobody may read."""

    def read(self, size: int | None = -1) -> bytes:
        assert self.closed, "the body of a redirect was read"
        return b""


class Site(urllib.request.BaseHandler):
    """Answers https from memory: an address holds bytes, or leads to another address."""

    handler_order = 100  # before the one that would use the network

    def __init__(self, pages: dict[str, bytes | str]) -> None:
        self.pages = pages

    def https_open(self, request: urllib.request.Request) -> addinfourl:
        page = self.pages.get(request.full_url, b"")
        headers = Message()
        if isinstance(page, str):
            headers["Location"] = page
            return self.answer(Endless(), headers, request.full_url, 302)
        return self.answer(Body(page), headers, request.full_url, 200 if page else 404)

    def answer(self, body: Body, headers: Message, url: str, status: int) -> addinfourl:
        answer = addinfourl(body, headers, url, status)
        answer.msg = "as asked"
        return answer


def download(pages: dict[str, bytes | str], destination: Path) -> list[int]:
    told: list[int] = []
    opener = https_opener(Site(pages))
    download_address(Address(HERE), len(WEIGHTS), destination, told.append, opener)
    return told


def test_a_file_is_fetched_through_redirects(tmp_path: Path) -> None:
    there = "https://media.example/w.onnx"
    told = download({HERE: there, there: WEIGHTS}, tmp_path / "w")
    assert (tmp_path / "w").read_bytes() == WEIGHTS
    assert told[-1] == len(WEIGHTS)


@pytest.mark.parametrize("elsewhere", ["http://media.example/w.onnx", "ftp://media.example/w"])
def test_a_redirect_away_from_https_is_not_followed(elsewhere: str, tmp_path: Path) -> None:
    with pytest.raises(ArtifactUnavailable, match="not https"):
        download({HERE: elsewhere}, tmp_path / "w")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("other", [WEIGHTS[:-1], WEIGHTS * 1000])
def test_no_more_is_read_than_is_pinned(other: bytes, tmp_path: Path) -> None:
    with pytest.raises(ModelTampered, match="8,000 bytes"):
        download({HERE: other}, tmp_path / "w")


def test_an_address_that_holds_nothing_is_said_to(tmp_path: Path) -> None:
    with pytest.raises(ArtifactUnavailable, match="could not be fetched"):
        download({}, tmp_path / "w")


@pytest.mark.online
def test_yunet_is_where_the_catalogue_says(tmp_path: Path) -> None:
    assert fetch(catalogue.YUNET, Sources(tmp_path)).stat().st_size == catalogue.YUNET.size
