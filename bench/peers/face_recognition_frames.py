"""Time face_recognition's loop over a clip, as its examples have it: `{frames}` in.

`frames` is a file of (n, h, w, 3) uint8 RGB. Seconds come out, `threads` as processor seconds per
second, and `boxes_xyxy` of the faces of each frame. Reading the frames is not counted.
"""

import time
from typing import Any

import face_recognition
import numpy as np
from serve import serve


def answer(request: dict[str, Any]) -> dict[str, Any]:
    """Find and describe the faces of one frame after the other, defaults throughout."""
    frames = np.load(request["frames"])
    begun, processor_begun = time.perf_counter(), time.process_time()
    found = []
    for frame in frames:
        locations = face_recognition.face_locations(frame)
        face_recognition.face_encodings(frame, locations)
        found.append([[left, top, right, bottom] for top, right, bottom, left in locations])
    seconds = time.perf_counter() - begun
    threads = (time.process_time() - processor_begun) / seconds
    return {"seconds": seconds, "threads": threads, "boxes_xyxy": found}


serve(answer)
