"""What Kinesis data streams are told of each frame that a live search looks at, as AWS words it."""

import json
from typing import Any

from likeness.errors import required
from likeness.rekognition.call import Response
from likeness.rekognition.operations.words import face_detail, known_face
from likeness.service.live.asked import LiveAsked
from likeness.service.live.sighting import AnalysedFace, AnalysedFrame

_DECIMALS = 6


def frame_record(asked: LiveAsked, frame: AnalysedFrame) -> bytes:
    """Write what a Kinesis data stream is told of a frame.

    Each frame is a fragment of its own: its number counts up with time, its times are the frame's,
    and the frame's offset in it is 0, so that sums of time and offset give the moment.
    """
    moment_s = frame.at.timestamp()
    size = frame.width, frame.height
    record = {
        "InputInformation": {
            "KinesisVideo": {
                "StreamArn": asked.video_arn or _video_arn(asked),
                "FragmentNumber": f"{round(1e6 * moment_s)}{frame.number:012d}",
                "ServerTimestamp": round(moment_s, 3),
                "ProducerTimestamp": round(moment_s, 3),
                "FrameOffsetInSeconds": 0.0,
            }
        },
        "StreamProcessorInformation": {"Status": "RUNNING"},
        "FaceSearchResponse": [_face_found(one, size) for one in frame.faces],
    }
    # Numbers that came from arrays are none to `json`.
    return json.dumps(_rounded(record), separators=(",", ":"), default=float).encode()


def _face_found(found: AnalysedFace, size: tuple[int, int]) -> Response:
    return {
        "DetectedFace": face_detail(found.face, size),
        "MatchedFaces": [
            {
                "Similarity": one.similarity,
                "Face": {
                    name: said
                    for name, said in known_face(
                        required(one.candidate.reference, "the reference that was found"), None
                    ).items()
                    if said is not None
                },
            }
            for one in found.matches
        ],
    }


def _video_arn(asked: LiveAsked) -> str:
    """Give a source that no processor names the ARN of a stream beside the one that is told."""
    _, partition, _, region, account, _ = required(asked.kinesis_arn, "whom to tell").split(":", 5)
    return f"arn:{partition}:kinesisvideo:{region}:{account}:stream/{asked.source}/0"


def _rounded(said: Any) -> Any:
    match said:
        case float():
            return round(said, _DECIMALS)
        case dict():
            return {name: _rounded(one) for name, one in said.items()}
        case list():
            return [_rounded(one) for one in said]
        case _:
            return said
