"""A Rekognition endpoint that knows people by their pictures' bytes, counts, and misbehaves."""

import base64
import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

BOX = {"Width": 0.5, "Height": 0.5, "Left": 0.2, "Top": 0.2}
HEADER = b"\xff\xd8\xff"


def picture(person: str, number: int = 0) -> bytes:
    """Bytes that pass for a JPEG of a person; `nobody` has no face."""
    return HEADER + f"{person}/{number}".encode()


def person_in(data: bytes) -> str:
    return data.removeprefix(HEADER).decode(errors="replace").split("/")[0]


class Refusal(Exception):
    """An error of AWS's form."""

    def __init__(self, code: str, status: int = 400) -> None:
        super().__init__(code)
        self.code, self.status = code, status


class FakeEndpoint:
    """Answers as Rekognition does: 99 for one person, less for two, by their names.

    `trouble(operation, pictures)` may raise `Refusal`, or give another answer: a mapping, or bytes.
    """

    def __init__(self) -> None:
        self.asked: Counter[tuple[str, ...]] = Counter()
        self.version = "7.0"
        self.trouble: Callable[[str, list[bytes]], Any] = lambda operation, pictures: None
        self.collections: dict[str, dict[str, bytes]] = {}
        self.made: list[str] = []
        self.delay_s = 0.0
        self.url = ""
        self._lock = threading.Lock()

    def count(self, operation: str) -> int:
        return sum(count for key, count in self.asked.items() if key[0] == operation)

    def answer(self, operation: str, request: dict[str, Any]) -> Any:
        pictures = [
            base64.b64decode(request[name]["Bytes"])
            for name in ("SourceImage", "TargetImage", "Image")
            if name in request
        ]
        with self._lock:
            self.asked[(operation, *(one.hex() for one in pictures))] += 1
            instead = self.trouble(operation, pictures)
        if instead is not None:
            return instead
        time.sleep(self.delay_s)
        with self._lock:
            return getattr(self, f"_{operation}")(request, pictures)

    def _CompareFaces(self, request: dict[str, Any], pictures: list[bytes]) -> Any:
        if "nobody" in map(person_in, pictures):
            raise Refusal("InvalidParameterException")
        face = {"BoundingBox": BOX, "Confidence": 99.0}
        return {
            "SourceImageFace": face,
            "FaceMatches": [{"Similarity": similarity(*pictures), "Face": face}],
            "UnmatchedFaces": [],
        }

    def _DetectFaces(self, request: dict[str, Any], pictures: list[bytes]) -> Any:
        nobody = person_in(pictures[0]) == "nobody"
        gender = {"Value": "Female", "Confidence": 97.5}
        face = {"BoundingBox": BOX, "Gender": gender, "AgeRange": {"Low": 20, "High": 30}}
        return {"FaceDetails": [] if nobody else [face]}

    def _CreateCollection(self, request: dict[str, Any], pictures: list[bytes]) -> Any:
        self.made.append(request["CollectionId"])
        self.collections[request["CollectionId"]] = {}
        return {"StatusCode": 200, "FaceModelVersion": self.version}

    def _DescribeCollection(self, request: dict[str, Any], pictures: list[bytes]) -> Any:
        return {"FaceCount": len(self._collection(request)), "FaceModelVersion": self.version}

    def _DeleteCollection(self, request: dict[str, Any], pictures: list[bytes]) -> Any:
        self._collection(request)
        del self.collections[request["CollectionId"]]
        return {"StatusCode": 200}

    def _IndexFaces(self, request: dict[str, Any], pictures: list[bytes]) -> Any:
        faces = self._collection(request)
        if person_in(pictures[0]) == "nobody":
            return {"FaceRecords": [], "UnindexedFaces": [], "FaceModelVersion": self.version}
        faces[request["ExternalImageId"]] = pictures[0]
        face = {"FaceId": "f", "ExternalImageId": request["ExternalImageId"], "BoundingBox": BOX}
        return {"FaceRecords": [{"Face": face}], "FaceModelVersion": self.version}

    def _ListFaces(self, request: dict[str, Any], pictures: list[bytes]) -> Any:
        return {"Faces": [{"ExternalImageId": one} for one in self._collection(request)]}

    def _SearchFacesByImage(self, request: dict[str, Any], pictures: list[bytes]) -> Any:
        faces = self._collection(request)
        if person_in(pictures[0]) == "nobody":
            raise Refusal("InvalidParameterException")
        scores = {one: similarity(data, pictures[0]) for one, data in faces.items()}
        best = sorted(scores, key=lambda one: -scores[one])[: request["MaxFaces"]]
        return {
            "FaceMatches": [
                {"Similarity": scores[one], "Face": {"ExternalImageId": one, "BoundingBox": BOX}}
                for one in best
            ],
            "FaceModelVersion": self.version,
        }

    def _collection(self, request: dict[str, Any]) -> dict[str, bytes]:
        if request["CollectionId"] not in self.collections:
            raise Refusal("ResourceNotFoundException")
        return self.collections[request["CollectionId"]]


def similarity(first: bytes, second: bytes) -> float:
    """A number between 0 and 90 for two people, whichever comes first, and 99 for one."""
    people = sorted(map(person_in, (first, second)))
    if people[0] == people[1]:
        return 99.0
    return float(sum(map(ord, "".join(people))) % 90)


@contextmanager
def serving(endpoint: FakeEndpoint) -> Iterator[FakeEndpoint]:
    """Serve an endpoint from threads."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            operation = self.headers["X-Amz-Target"].rpartition(".")[2]
            status = 200
            try:
                answer = endpoint.answer(operation, json.loads(body))
            except Refusal as refusal:
                status = refusal.status
                answer = {"__type": refusal.code, "Message": f"It is\na {refusal.code}."}
            content = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/x-amz-json-1.1")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            try:
                self.wfile.write(content)
            except OSError:
                self.close_connection = True  # a client that was killed

        def log_message(self, format: str, *values: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 64

        def handle_error(self, *_: object) -> None:
            pass  # a client that was killed

    server = Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    endpoint.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield endpoint
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
