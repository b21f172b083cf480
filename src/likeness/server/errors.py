"""What keeps a request from being answered as asked; each door has its own words for it.

RequestError
├─ Unauthenticated       it is not proven who sent it
│  ├─ NotSigned              nothing says who did
│  ├─ SignatureIncomplete    the signature lacks something, or is of a form that is not read
│  ├─ SignatureInvalid       the signature is not that of this request
│  └─ UnknownKey             nobody has this key, or it is disabled
├─ KeysUnavailable       the keys cannot be read; `__cause__` says why
├─ BodyTooLarge
├─ BodyTooSlow
├─ NoRoom                bodies of others leave no room for this one
├─ TooManyRequests       too many wait, or this key asks too often
├─ TooLate               it was not done in time
├─ Replayed              it was asked for before, with the same signature
├─ Stopped               the server stopped before it was done
└─ Malformed             it is no HTTP
"""


class RequestError(Exception):
    """Whatever keeps a request from being answered; the message is for its sender."""


class Unauthenticated(RequestError):
    """It is not proven who sent the request."""


class NotSigned(Unauthenticated):
    """Nothing says who sent the request."""


class SignatureIncomplete(Unauthenticated):
    """The signature lacks something, or is of a form that is not read."""


class SignatureInvalid(Unauthenticated):
    """The signature is not that of this request, at this time."""


class UnknownKey(Unauthenticated):
    """Nobody has this key, or it is disabled."""


class KeysUnavailable(RequestError):
    """The keys cannot be read, so that nobody is known; `__cause__` says why."""


class BodyTooLarge(RequestError):
    """The body has more bytes than are read."""


class BodyTooSlow(RequestError):
    """The body did not come in time."""


class NoRoom(RequestError):
    """The bodies of other requests leave no room for this one at the moment."""


class TooManyRequests(RequestError):
    """Too many requests wait, or this key asks too often: the same may be served later."""


class TooLate(RequestError):
    """The request was not done in time."""


class Replayed(RequestError):
    """The same request was made before, with the same signature, and would change something."""


class Stopped(RequestError):
    """The server stopped before the request was done."""


class Malformed(RequestError):
    """What came is no HTTP."""
