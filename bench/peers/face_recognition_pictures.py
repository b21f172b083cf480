"""Time face_recognition, used as its README says: `{pictures}` in; seconds and faces out.

`threads` is processor seconds per second; `faces` has a list for every picture, each face with its
`area` in square pixels and its `descriptor`.
"""

import time
from typing import Any

import face_recognition
from serve import serve


def answer(request: dict[str, Any]) -> dict[str, Any]:
    """Work through pictures, one after the other."""
    begun, processor_begun = time.perf_counter(), time.process_time()
    faces = [faces_of(picture) for picture in request["pictures"]]
    seconds = time.perf_counter() - begun
    threads = (time.process_time() - processor_begun) / seconds
    return {"seconds": seconds, "threads": threads, "faces": faces}


def faces_of(picture: str) -> list[dict[str, Any]]:
    """Load a file, find its faces and describe each, defaults throughout."""
    image = face_recognition.load_image_file(picture)
    locations = face_recognition.face_locations(image)
    descriptors = face_recognition.face_encodings(image, locations)
    return [
        {"area": (bottom - top) * (right - left), "descriptor": descriptor.tolist()}
        for (top, right, bottom, left), descriptor in zip(locations, descriptors, strict=True)
    ]


serve(answer)
