"""Pictures that take long to decode wait for one another, and nobody else for them."""

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from botocore.exceptions import ClientError

from likeness.app.serving import Serving
from likeness.server import Lane
from tests.cli.conftest import ship_standards
from tests.rekognition.conftest import serving_discs

pytestmark = pytest.mark.slow


@contextmanager
def taken(lane: Lane) -> Iterator[None]:
    """Have somebody else use a lane until the end of the block."""
    free, begun = threading.Event(), threading.Event()

    def hold() -> None:
        begun.set()
        free.wait(60)

    with ThreadPoolExecutor(1) as pool:
        pool.submit(lambda: asyncio.run(lane.run(hold, "key:another")))
        assert begun.wait(20)
        try:
            yield
        finally:
            free.set()


def grey(width: int, height: int) -> dict[str, bytes]:
    encoded = cv2.imencode(".png", np.full((height, width, 3), 90, np.uint8))[1]
    return {"Bytes": encoded.tobytes()}


def gate_of(serving: Serving) -> Any:
    return serving._gate


def test_small_pictures_are_answered_while_large_ones_wait(tmp_path: Path) -> None:
    shipped = ship_standards(tmp_path / "shipped")
    small, large = grey(640, 480), grey(6000, 5000)
    with (
        serving_discs(tmp_path / "home", shipped, threads=1) as (server, serving),
        ThreadPoolExecutor(8) as pool,
    ):
        client = server.client()
        client.create_collection(CollectionId="staff")
        with taken(gate_of(serving).large):
            # More than there are threads for pictures.
            waiting = [pool.submit(client.detect_faces, Image=large) for _ in range(5)]
            waiting.append(
                pool.submit(client.search_faces_by_image, CollectionId="staff", Image=large)
            )
            for _ in range(3):
                assert client.detect_faces(Image=small)["FaceDetails"] == []
            assert not any(one.done() for one in waiting)
        *detected, searched = waiting
        assert [one.result()["FaceDetails"] for one in detected] == [[]] * 5
        with pytest.raises(ClientError, match="no faces"):
            searched.result()
