"""Servers on loopback that speak as tests make them."""

import io
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress


@contextmanager
def listening(serve: Callable[[socket.socket], None]) -> Iterator[int]:
    """Serve connections on a free port of 127.0.0.1, each in a thread."""
    threads: list[threading.Thread] = []
    open_ones: list[socket.socket] = []

    def handle(connection: socket.socket) -> None:
        with connection, suppress(OSError):
            serve(connection)

    def accept() -> None:
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            open_ones.append(connection)
            thread = threading.Thread(target=handle, args=[connection])
            threads.append(thread)
            thread.start()

    with socket.create_server(("127.0.0.1", 0)) as server:
        accepting = threading.Thread(target=accept)
        accepting.start()
        try:
            yield server.getsockname()[1]
        finally:
            server.shutdown(socket.SHUT_RDWR)
            accepting.join()
            for connection in open_ones:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
            for thread in threads:
                thread.join(10)
                assert not thread.is_alive()


def read_head(lines: io.BufferedReader) -> str:
    """Read the lines of a request up to the empty one; empty at the end."""
    head = ""
    while (line := lines.readline(4096).decode("utf-8", "replace")) not in ("\r\n", ""):
        head += line
    return head
