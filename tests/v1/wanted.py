"""Whom to watch for, as a request says it."""

import base64
from datetime import timedelta
from typing import Any

from tests.rekognition.operations.discs import RED, disc

from .conftest import Client


def watch(client: Client, **changed: Any) -> dict[str, Any]:
    return {
        "collection": "staff",
        "image": base64.b64encode(disc(RED)).decode(),
        "purpose": "missing-persons",
        "authority": "Court",
        "criteria": "missing since May",
        "expires_at": (client.desk.now + timedelta(days=30)).isoformat(),
        "webhook": "https://hooks.example/x",
        **changed,
    }
