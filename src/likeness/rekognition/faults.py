"""What do AWS's clients see when something goes wrong?"""

from collections.abc import Set

from likeness.errors import (
    AlreadyExists,
    Conflict,
    Denied,
    Fault,
    ImageTooLarge,
    InvalidImage,
    InvalidRequest,
    LicenceNotAccepted,
    LikenessError,
    NoFace,
    NotFound,
    QualityTooLow,
    SeveralFaces,
    TooBusy,
)


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
    NoFace: ANYWHERE,
    SeveralFaces: ANYWHERE,
    InvalidRequest: ANYWHERE,
    QualityTooLow: ANYWHERE,
    NotFound: "ResourceNotFoundException",
    AlreadyExists: "ResourceAlreadyExistsException",
    Conflict: "ConflictException",
    Denied: "AccessDeniedException",
    LicenceNotAccepted: "AccessDeniedException",
}
"""AWS's name for each error of ours that the caller, or what is asked for, is the reason of."""

TEXTS: dict[type[LikenessError], str] = {InvalidImage: "Request has invalid image format"}
"""AWS's text, where programs match on it and ours would say more than it does."""

_EVERYWHERE = frozenset({ANYWHERE, "AccessDeniedException"})


def in_aws_words(error: LikenessError, listed: Set[str]) -> AwsError:
    """Say an error of ours as AWS would; `listed` are the codes of the operation's model.

    A fault keeps its reason to itself: paths and addresses are the operator's, whose log has them.
    """
    if isinstance(error, TooBusy):
        return throttled("Too many pictures are being decoded: try again.")
    if isinstance(error, Fault):
        return failure(type(error).__name__)
    code = next((CODES[kind] for kind in type(error).__mro__ if kind in CODES), ANYWHERE)
    text = next((TEXTS[kind] for kind in type(error).__mro__ if kind in TEXTS), str(error))
    return AwsError(code if code in listed | _EVERYWHERE else ANYWHERE, text)


def failure(reason: str) -> AwsError:
    """Say that it is not the caller's fault."""
    return AwsError(
        "InternalServerError",
        f"{reason}: nothing is wrong with the request; the server's log says more under the"
        " request's id",
        500,
    )


def throttled(message: str) -> AwsError:
    """Say that there is too much to do at the moment; every SDK tries again."""
    return AwsError("ProvisionedThroughputExceededException", message)
