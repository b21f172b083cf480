"""What there is in place of operations that are not offered, or why there is nothing."""

_FACES_ALONE = "It recognises faces, and nothing else."
_NOBODY_BY_ITSELF = (
    "It knows nobody by itself. Enrol the people whom you may look for in a collection, and use"
)
_FOLLOWED = "StartFaceSearch and StartFaceDetection follow people by their faces."
_ATTENDED = (
    "It does not detect masks and pictures that are held before a camera. Have somebody attend it."
)

_INSTEAD = {
    "GetPersonTracking": _FOLLOWED,
    "StartPersonTracking": _FOLLOWED,
    "GetCelebrityInfo": f"{_NOBODY_BY_ITSELF} SearchFacesByImage.",
    "RecognizeCelebrities": f"{_NOBODY_BY_ITSELF} SearchFacesByImage.",
    "GetCelebrityRecognition": f"{_NOBODY_BY_ITSELF} StartFaceSearch.",
    "StartCelebrityRecognition": f"{_NOBODY_BY_ITSELF} StartFaceSearch.",
    "CreateFaceLivenessSession": _ATTENDED,
    "GetFaceLivenessSessionResults": _ATTENDED,
}


def not_offered(operation: str) -> str:
    """Say that an operation of AWS's is not offered, and what there is instead."""
    return f"{operation} is not offered by Likeness. {_INSTEAD.get(operation, _FACES_ALONE)}"
