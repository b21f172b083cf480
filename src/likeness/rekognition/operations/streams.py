"""Stream processors for face search.

A Kinesis video stream stands for the source that an admin registered under the stream's name. A
processor is STARTING until its first frame, then RUNNING. What AWS has for labels alone (settings
of connected homes, S3 destinations, regions, selectors, updates) is refused.
"""

import re
import struct

from likeness.errors import AlreadyExists, LimitReached
from likeness.notify import checked_stream_arn
from likeness.rekognition.backend import Backend
from likeness.rekognition.call import Call, Request, Response
from likeness.rekognition.faults import AwsError
from likeness.rekognition.operations.pictures import invalid_parameters
from likeness.rekognition.operations.tags import too_many_tags
from likeness.service.live import processors as acts
from likeness.service.live.manage import LiveState
from likeness.service.live.processor_tags import TooManyProcessorTags
from likeness.service.live.processors import ProcessorRun
from likeness.sources import Processor, ProcessorDefinition

LOWEST_THRESHOLD = 80.0
"""AWS's for streams; lower ones are raised to it."""

_A_PAGE = 1000
_STATUS = {
    LiveState.STARTING: "STARTING",
    LiveState.RUNNING: "RUNNING",
    LiveState.STOPPING: "STOPPING",
    LiveState.STOPPED: "STOPPED",
    LiveState.FAILED: "FAILED",
}
# A stream's name, and the moment it was made, which some clients leave out.
_VIDEO_ARN = re.compile(
    r"arn:aws[a-z-]*:kinesisvideo:[a-z0-9-]+:[0-9]{12}:stream/([a-zA-Z0-9_.-]{1,256})(/[0-9]+)?",
    re.ASCII,
)
# The moment it was made, in microseconds, and its id: what lists go by.
_PLACE = struct.Struct(">q16s")
# What AWS takes for labels alone.
_OF_LABELS = ("DataSharingPreference", "KmsKeyId", "NotificationChannel", "RegionsOfInterest")


def create_stream_processor(backend: Backend, call: Call, request: Request) -> Response:
    """Define what is searched, and who is told."""
    name, defined = request["Name"], _defined(backend, request)
    try:
        made = acts.create_processor(backend, call.caller, name, defined)
    except AlreadyExists as error:
        raise _in_use("Stream processor name already in use.") from error
    except TooManyProcessorTags as error:
        raise too_many_tags() from error
    return {"StreamProcessorArn": processor_arn(made.name, call.region, backend.account)}


def describe_stream_processor(backend: Backend, call: Call, request: Request) -> Response:
    """Say what a processor searches, and how far it is."""
    run = acts.describe_processor(backend, call.caller, request["Name"])
    processor, defined = run.processor, run.processor.defined
    return {
        "Name": processor.name,
        "StreamProcessorArn": processor_arn(processor.name, call.region, backend.account),
        "Status": _STATUS[run.state],
        "StatusMessage": run.reason,
        "CreationTimestamp": processor.made_at,
        "LastUpdateTimestamp": run.changed_at,
        "Input": {"KinesisVideoStream": {"Arn": defined.video_arn}},
        "Output": {"KinesisDataStream": {"Arn": defined.data_arn}},
        "RoleArn": defined.role_arn,
        "Settings": {
            "FaceSearch": {
                "CollectionId": defined.collection,
                "FaceMatchThreshold": defined.threshold,
            }
        },
    }


def list_stream_processors(backend: Backend, call: Call, request: Request) -> Response:
    """List processors in the order they were made."""
    after = backend.page_tokens.place(call, request, None) or b""
    limit = min(request.get("MaxResults", _A_PAGE), _A_PAGE)
    listed = acts.list_processors(backend, call.caller)
    left = [one for one in listed if _place(one) > after]
    page, more = left[:limit], len(left) > limit
    return {
        "StreamProcessors": [
            {"Name": one.processor.name, "Status": _STATUS[one.state]} for one in page
        ],
        "NextToken": backend.page_tokens.token(call, request, None, _place(page[-1]))
        if more
        else None,
    }


def start_stream_processor(backend: Backend, call: Call, request: Request) -> Response:
    """Begin to search."""
    if "StartSelector" in request or "StopSelector" in request:
        raise AwsError(
            "InvalidParameterException",
            "StartSelector and StopSelector are for labels. Leave them out: a search of faces"
            " begins with what comes next, and ends when X-Likeness-Until or the tag"
            " likeness:hours says so.",
        )
    _require_told(backend)
    try:
        job = acts.start_processor(backend, call.caller, request["Name"])
    except acts.ProcessorInUse as error:
        raise _in_use("Specified resource is in use.") from error
    except LimitReached as error:
        raise AwsError("LimitExceededException", str(error)) from error
    return {"SessionId": job.id}


def stop_stream_processor(backend: Backend, call: Call, request: Request) -> Response:
    """Have the search end."""
    try:
        acts.stop_processor(backend, call.caller, request["Name"])
    except acts.ProcessorStopped as error:
        raise _in_use("Processor not available for stopping stream.") from error
    return {}


def delete_stream_processor(backend: Backend, call: Call, request: Request) -> Response:
    """Delete a processor that does not search."""
    try:
        acts.delete_processor(backend, call.caller, request["Name"])
    except acts.ProcessorInUse as error:
        raise _in_use("Cannot delete stream processor.") from error
    return {}


def update_stream_processor(backend: Backend, call: Call, request: Request) -> Response:
    """Refuse, as AWS does: what a processor for faces searches is fixed when it is made."""
    acts.describe_processor(backend, call.caller, request["Name"])
    raise AwsError(
        "InvalidParameterException",
        "A stream processor for face search cannot be updated. Delete it, and create another.",
    )


def processor_arn(name: str, region: str, account: str) -> str:
    """Give a processor's ARN."""
    return f"arn:aws:rekognition:{region}:{account}:streamprocessor/{name}"


def _defined(backend: Backend, request: Request) -> ProcessorDefinition:
    """Read what is to be searched, and who is told.

    Raises:
        AwsError: it is not for faces, or not whole, or nobody can be told.
    """
    settings, output = request["Settings"], request["Output"]
    if "ConnectedHome" in settings or "S3Destination" in output:
        raise AwsError(
            "InvalidParameterException",
            "Stream processors search faces here and nothing else: ConnectedHome and S3Destination"
            " are for labels. Send FaceSearch and a KinesisDataStream.",
        )
    for name in _OF_LABELS:
        if request.get(name):
            raise AwsError(
                "InvalidParameterException",
                f"{name} is for stream processors that look for labels. Leave it out.",
            )
    video = _VIDEO_ARN.fullmatch(request["Input"].get("KinesisVideoStream", {}).get("Arn", ""))
    data = output.get("KinesisDataStream", {}).get("Arn")
    faces = settings.get("FaceSearch", {})
    if video is None:
        raise invalid_parameters(
            "Input names no KinesisVideoStream by an ARN such as"
            " arn:aws:kinesisvideo:eu-west-1:000000000000:stream/NAME/1"
        )
    if data is None or "CollectionId" not in faces:
        raise invalid_parameters("give a KinesisDataStream's Arn and FaceSearch's CollectionId")
    _require_told(backend)
    return ProcessorDefinition(
        source=video.group(1),
        collection=faces["CollectionId"],
        video_arn=video.group(),
        data_arn=checked_stream_arn(data),
        threshold=max(LOWEST_THRESHOLD, faces.get("FaceMatchThreshold", LOWEST_THRESHOLD)),
        role_arn=request["RoleArn"],
        tags=request.get("Tags", {}),
    )


def _require_told(backend: Backend) -> None:
    if not backend.tells_streams:
        raise AwsError(
            "InvalidParameterException",
            "No Kinesis endpoint is set, so that no data stream can be told. Have"
            " LIKENESS_KINESIS_ENDPOINT set, or search with `likeness sources watch`.",
        )


def _in_use(message: str) -> AwsError:
    return AwsError("ResourceInUseException", message)


def _place(run: ProcessorRun) -> bytes:
    made: Processor = run.processor
    return _PLACE.pack(int(made.made_at.timestamp() * 1e6), made.id.bytes)
