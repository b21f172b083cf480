"""Words whatever goes wrong as AWS does."""

from collections.abc import Set

from starlette.requests import ClientDisconnect

from likeness.errors import (
    AlreadyExists,
    ClipTooLarge,
    Conflict,
    DatabaseInUse,
    Denied,
    Fault,
    ImageTooLarge,
    InvalidClip,
    InvalidImage,
    InvalidRequest,
    InvalidStream,
    LicenceNotAccepted,
    LikenessError,
    LimitReached,
    NoFace,
    NotFound,
    QualityTooLow,
    SeveralFaces,
    TooBusy,
    Unlike,
)
from likeness.server.errors import (
    BodyTooLarge,
    BodyTooSlow,
    Malformed,
    NoRoom,
    NotSigned,
    Replayed,
    RequestError,
    SignatureIncomplete,
    SignatureInvalid,
    TooManyRequests,
    UnknownKey,
)
from likeness.service.uses import NoSuchCollection, NoSuchSubject


class AwsError(Exception):
    """An answer that is an error in AWS's words: `code` is its name, `status` of HTTP."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status


ANYWHERE = "InvalidParameterException"
"""What stands for an error that an operation's model does not list: nearly all list this one."""

CODES: dict[type[LikenessError], str] = {
    InvalidImage: "InvalidImageFormatException",
    ImageTooLarge: "ImageTooLargeException",
    InvalidClip: ANYWHERE,
    ClipTooLarge: "VideoTooLargeException",
    InvalidStream: ANYWHERE,
    NoFace: ANYWHERE,
    SeveralFaces: ANYWHERE,
    InvalidRequest: ANYWHERE,
    QualityTooLow: ANYWHERE,
    Unlike: ANYWHERE,
    NotFound: "ResourceNotFoundException",
    AlreadyExists: "ResourceAlreadyExistsException",
    LimitReached: "LimitExceededException",
    Conflict: "ConflictException",
    Denied: "AccessDeniedException",
    LicenceNotAccepted: "AccessDeniedException",
}
"""AWS's name for each error of ours that the caller, or what is asked for, is the reason of."""

TEXTS: dict[type[LikenessError], str] = {
    InvalidImage: "Request has invalid image format: {}",
    DatabaseInUse: "Something else holds the database. Try again.",
}
"""What is told in place of our words, or before them: programs match on AWS's, and places are the
operator's."""

TOO_SMALL = (
    "the minimum pixel resolution for height and width is {least} pixels, and the image has {width}"
    " x {height}"
)
"""What is told of a picture under AWS's limit."""

_THROTTLED = "ProvisionedThroughputExceededException"
"""There is too much to do at the moment; every SDK tries again."""
REQUESTS: dict[type[RequestError], tuple[str, int]] = {
    NotSigned: ("MissingAuthenticationTokenException", 400),
    SignatureIncomplete: ("IncompleteSignatureException", 400),
    SignatureInvalid: ("InvalidSignatureException", 400),
    UnknownKey: ("UnrecognizedClientException", 400),
    BodyTooLarge: ("RequestEntityTooLargeException", 413),
    BodyTooSlow: ("RequestTimeoutException", 408),
    NoRoom: (_THROTTLED, 400),
    TooManyRequests: (_THROTTLED, 400),
    Replayed: ("InvalidSignatureException", 400),
    Malformed: ("SerializationException", 400),
}
"""AWS's name for what keeps a request from being answered, and its status; else it is our fault."""

_EVERYWHERE = frozenset({ANYWHERE, "AccessDeniedException"})


def in_aws_words(error: Exception, listed: Set[str] = frozenset()) -> AwsError:
    """Say any error as AWS would; `listed` are the codes of the operation's model.

    A fault keeps its reason to itself: paths and addresses are the operator's, whose log has them.
    """
    match error:
        case AwsError():
            return error
        case ClientDisconnect():
            return AwsError("ClientLeft", "", 499)
        case TooBusy():
            return AwsError(_THROTTLED, "Too many pictures are being decoded. Try again.")
        case RequestError() if type(error) in REQUESTS:
            code, status = REQUESTS[type(error)]
            return AwsError(code, str(error), status)
        case NoSuchCollection():
            return AwsError(CODES[NotFound], f"The collection id: {error.name} does not exist")
        case NoSuchSubject():
            return AwsError(CODES[NotFound], f"The user id: {error.name} does not exist")
        case LikenessError() if not isinstance(error, Fault):
            kinds = type(error).__mro__
            code = next((CODES[kind] for kind in kinds if kind in CODES), ANYWHERE)
            text = next((TEXTS[kind] for kind in kinds if kind in TEXTS), "{}").format(error)
            return AwsError(code if code in listed | _EVERYWHERE else ANYWHERE, text)
        case Fault():
            reason = type(error).__name__
        case RequestError():
            reason = str(error)
        case _:
            reason = "Something unforeseen happened"
    return AwsError(
        "InternalServerError",
        f"{reason}. Nothing is wrong with the request; the server's log says more under the"
        " request's id.",
        500,
    )
