"""Time face_recognition, used as its README says: `{pictures}` in; seconds and faces out.

`threads` is processor seconds per second; `answers` has for every picture its `width` and `height`
and its `faces`, each with its `box_xyxy` in pixels and its `descriptor`.
"""

import time
from typing import Any

import face_recognition
from serve import serve


def answer(request: dict[str, Any]) -> dict[str, Any]:
    """Work through pictures, one after the other."""
    begun, processor_begun = time.perf_counter(), time.process_time()
    answers = [faces_of(picture) for picture in request["pictures"]]
    seconds = time.perf_counter() - begun
    threads = (time.process_time() - processor_begun) / seconds
    return {"seconds": seconds, "threads": threads, "answers": answers}


def faces_of(picture: str) -> dict[str, Any]:
    """Load a file, find its faces and describe each, defaults throughout."""
    image = face_recognition.load_image_file(picture)
    locations = face_recognition.face_locations(image)
    descriptors = face_recognition.face_encodings(image, locations)
    faces = [
        {"box_xyxy": [left, top, right, bottom], "descriptor": descriptor.tolist()}
        for (top, right, bottom, left), descriptor in zip(locations, descriptors, strict=True)
    ]
    return {"width": image.shape[1], "height": image.shape[0], "faces": faces}


serve(answer)
