"""A receiver of webhooks on loopback, which checks signatures as receivers do."""

import base64
import hmac
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from likeness.notify import WebhookSecret


@dataclass
class Receiver:
    """What came, and how it is answered."""

    url: str = ""
    status: int = 204
    location: str = ""
    came: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    def verified(self, secret: WebhookSecret) -> list[bytes]:
        """The bodies of what came, each with a signature that holds."""
        for headers, body in self.came:
            raw = base64.b64decode(secret.text.removeprefix("whsec_"))
            signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
            expected = base64.b64encode(hmac.digest(raw, signed, "sha256")).decode()
            assert headers["webhook-signature"] == f"v1,{expected}"
        return [body for _, body in self.came]


@contextmanager
def receiving() -> Iterator[Receiver]:
    """Receive on a free port of 127.0.0.1."""
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            receiver.came.append((headers, body))
            self.send_response(receiver.status)
            if receiver.location:
                self.send_header("location", receiver.location)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        receiver.url = f"http://127.0.0.1:{server.server_port}/hook?token=1"
        thread = threading.Thread(target=server.serve_forever, args=[0.01])
        thread.start()
        try:
            yield receiver
        finally:
            server.shutdown()
            thread.join()
