"""A camera on loopback: sends a clip over and over at its own pace, as MPEG-TS over HTTP."""

import importlib
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any


@contextmanager
def station(path: Path) -> Iterator[str]:
    """Send a clip to everybody who asks, until the end of the block; give the address."""
    stopping = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.0"

        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "video/mp2t")
            self.end_headers()
            _send(path, _Sink(self.wfile), stopping)

        def log_message(self, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/live"
    finally:
        stopping.set()
        server.shutdown()
        thread.join()
        server.server_close()


class _Sink:
    """Where a container is written to, until whoever asked for it has gone."""

    def __init__(self, to: Any) -> None:
        self._to = to
        self.is_gone = False

    def write(self, content: bytes) -> int:
        """Send bytes."""
        try:
            self._to.write(content)
        except OSError:
            self.is_gone = True
        return len(content)


def _send(path: Path, to: _Sink, stopping: threading.Event) -> None:
    """Send the packets of a clip when they are due, over and over, its times going on."""
    av = importlib.import_module("av")
    options = {"flush_packets": "1"}
    began_s, ahead = time.monotonic(), 0
    with av.open(to, "w", format="mpegts", options=options) as sent:
        stream: Any = None
        while not to.is_gone:
            with av.open(str(path)) as clip:
                video = clip.streams.video[0]
                stream = stream or sent.add_stream_from_template(video)
                for packet in clip.demux(video):
                    if packet.dts is None:
                        continue
                    packet.dts, packet.pts = packet.dts + ahead, packet.pts + ahead
                    due_s = began_s + float(packet.dts * packet.time_base)
                    if to.is_gone or stopping.wait(max(0.0, due_s - time.monotonic())):
                        return
                    packet.stream = stream
                    sent.mux(packet)
                ahead += video.duration
