"""One call of a Rekognition endpoint by AWS's own client: paced, retried, bounded, and checked.

Credentials come by boto3's usual ways: the environment, profiles, or a machine's role. A call ends
in one of four ways:

1. An answer.
2. `Unusable`: the endpoint says that it cannot use this picture or request.
3. `Unanswered`: it failed to answer this call, three times, or its answer makes no sense.
4. A `LikenessError`: nothing more can be asked, and running again later goes on from here.
"""

import random
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    EndpointConnectionError,
    NoCredentialsError,
    ParamValidationError,
    PartialCredentialsError,
    ProfileNotFound,
)
from botocore.session import Session

from likeness.bounded_answers import answers_within, bound_answers
from likeness.errors import Fault, InvalidRequest
from likeness.service.evaluate.systems.endpoint.prices import is_aws

_CONNECT_S = 10.0
_SILENCE_S = 30.0
_WHOLE_S = 60.0
# A search lists 4,096 faces of some 700 bytes at most.
_MOST_BYTES = 16 << 20
_ATTEMPTS = 3
_FIRST_PAUSE_S = 0.5
_LONGEST_PAUSE_S = 30.0
# Some 8 minutes of patience.
_MOST_THROTTLED = 20
_THROTTLED = {
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "SlowDown",
    "Throttling",
    "ThrottlingException",
    "TooManyRequestsException",
}
_NOT_ALLOWED = {
    "AccessDenied",
    "AccessDeniedException",
    "ExpiredToken",
    "ExpiredTokenException",
    "IncompleteSignature",
    "IncompleteSignatureException",
    "InvalidClientTokenId",
    "InvalidSignatureException",
    "MissingAuthenticationToken",
    "MissingAuthenticationTokenException",
    "NotAuthorized",
    "OptInRequired",
    "RequestExpired",
    "SignatureDoesNotMatch",
    "UnrecognizedClientException",
}
_UNKNOWN_OPERATION = {"InvalidAction", "UnknownOperation", "UnknownOperationException"}
_AGAIN = "Run the same command again to continue."


def printable(text: str, most: int = 200) -> str:
    """Make one line of what an endpoint says, without what a terminal or UTF-8 chokes on."""
    return " ".join("".join(c if c.isprintable() else " " for c in text[: 4 * most]).split())[:most]


class Unusable(Exception):
    """The endpoint cannot use what it was sent; `code` is its error's."""

    def __init__(self, code: str, says: str) -> None:
        super().__init__(": ".join(filter(None, (code, says))))
        self.code = code


class Unanswered(Exception):
    """The endpoint failed to answer one call, or answered what makes no sense."""


@dataclass(frozen=True, slots=True)
class Answered:
    """What an endpoint answered, and in how many seconds."""

    body: Mapping[str, Any]
    seconds: float


class Pace:
    """Lets so many calls begin in a second, fewer while the endpoint throttles.

    A throttled call halves the pace, down to a twentieth; each answer gives back a hundredth of
    what was chosen.
    """

    def __init__(
        self,
        calls_per_second: float,
        clock: Callable[[], float],
        sleep: Callable[[float], object],
    ) -> None:
        self._chosen = self._now = calls_per_second
        self._clock, self._sleep = clock, sleep
        self._next = clock()
        self._lock = threading.Lock()

    def wait(self) -> None:
        """Wait for one's turn."""
        with self._lock:
            turn = max(self._next, self._clock())
            self._next = turn + 1 / self._now
        if (left := turn - self._clock()) > 0:
            self._sleep(left)

    def slow_down(self) -> None:
        """Take the endpoint's hint."""
        with self._lock:
            self._now = max(self._now / 2, self._chosen / 20)

    def speed_up(self) -> None:
        """Trust it again, little by little."""
        with self._lock:
            self._now = min(self._now + self._chosen / 100, self._chosen)


class EndpointClient:
    """Calls operations of `url`, or of AWS's own endpoint of `region` where there is none.

    `check_endpoint` has checked them. `stop` ends all waiting. Any number of threads may call.

    Raises:
        InvalidRequest: boto3 finds no credentials or no such profile, or asks another endpoint.
    """

    def __init__(
        self,
        url: str | None,
        region: str,
        calls_per_second: float,
        *,
        connections: int,
        stop: threading.Event,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = url or f"Amazon Rekognition in {region}"
        self._clock, self._stop = clock, stop
        self._pace = Pace(calls_per_second, clock, self._sleep)
        self._client = self._made(url, region, connections)
        actual = self._client.meta.endpoint_url
        if url is None and not is_aws(actual):
            raise InvalidRequest(
                f"boto3 is set to ask {actual!r:.200} in place of AWS. Give --endpoint {actual} to"
                " test that, or unset AWS_ENDPOINT_URL."
            )
        bound_answers(self._client)

    def call(self, operation: str, **request: Any) -> Answered:
        """Call an operation by its name on the wire.

        Raises:
            Unusable, Unanswered: this call alone fails.
            InvalidRequest: the endpoint does not let us.
            Fault: it cannot be reached, or throttles for minutes; or `stop` was set.
        """
        failed = throttled = 0
        while True:
            self._pace.wait()
            self._check_stop()
            began = self._clock()
            try:
                body = self._once(operation, request)
            except _Throttled as error:
                throttled += 1
                self._pace.slow_down()
                if throttled >= _MOST_THROTTLED:
                    raise Fault(
                        f"{self.name} throttles ({error}) for minutes. Choose fewer calls a"
                        f" second. {_AGAIN}"
                    ) from error
                self._sleep(_pause(throttled))
            except _Failed as error:
                failed += 1
                if failed >= _ATTEMPTS:
                    if error.unreachable:
                        raise Fault(
                            f"{self.name} cannot be reached ({error}). Check the address and the"
                            f" network. {_AGAIN}"
                        ) from error
                    raise Unanswered(str(error)) from error
                self._sleep(_pause(failed))
            else:
                self._pace.speed_up()
                return Answered(body, self._clock() - began)

    def _once(self, operation: str, request: Mapping[str, Any]) -> Mapping[str, Any]:
        try:
            with answers_within(_WHOLE_S, _SILENCE_S, _MOST_BYTES):
                body = self._client._make_api_call(operation, dict(request))
        except ClientError as error:
            raise self._meaning(error) from error
        except (NoCredentialsError, PartialCredentialsError) as error:
            raise InvalidRequest(_NO_CREDENTIALS) from error
        except ParamValidationError as error:
            raise Unusable("ParamValidationError", _one_line(error)) from error
        except Exception as error:
            # On an answer that is not as it should be, botocore's parser raises what it happens to:
            # ValueError, AttributeError, TypeError and RecursionError among them.
            unreachable = isinstance(error, EndpointConnectionError)
            raise _Failed(_one_line(error), unreachable=unreachable) from error
        if not isinstance(body, dict):
            raise _Failed("the answer is no JSON object", unreachable=False)
        return body

    def _meaning(self, error: ClientError) -> Exception:
        said = error.response.get("Error") or {}
        code = printable(str(said.get("Code") or "no code"), 80)
        status = (error.response.get("ResponseMetadata") or {}).get("HTTPStatusCode", 0)
        message = printable(str(said.get("Message") or ""))
        if code in _THROTTLED or status == 429:
            return _Throttled(code)
        if code in _NOT_ALLOWED or status in (401, 403):
            return InvalidRequest(
                f"{self.name} does not allow this ({code}: {message}). Check the credentials that"
                f" boto3 finds, and what they may do. {_AGAIN}"
            )
        if code in _UNKNOWN_OPERATION or status in (404, 405):
            return InvalidRequest(
                f"{self.name} does not know {error.operation_name} ({code}, HTTP status {status})."
                " Check the address."
            )
        if not 400 <= status < 500:
            return _Failed(f"{code}, HTTP status {status}", unreachable=False)
        return Unusable(code, message)

    def _sleep(self, seconds: float) -> None:
        self._stop.wait(seconds)

    def _check_stop(self) -> None:
        if self._stop.is_set():
            raise Fault(f"The run was stopped. {_AGAIN}")

    def _made(self, url: str | None, region: str, connections: int) -> Any:
        try:
            session = Session()
            if session.get_credentials() is None:
                raise InvalidRequest(_NO_CREDENTIALS)
            return session.create_client(
                "rekognition",
                region_name=region,
                endpoint_url=url,
                config=Config(
                    connect_timeout=_CONNECT_S,
                    read_timeout=_SILENCE_S,
                    # Each attempt keeps the pace, so they are made here.
                    retries={"total_max_attempts": 1},
                    max_pool_connections=connections,
                ),
            )
        except ProfileNotFound as error:
            raise InvalidRequest(f"{error}. Check AWS_PROFILE.") from error
        except (BotoCoreError, ValueError) as error:
            raise InvalidRequest(
                f"The endpoint cannot be used ({_one_line(error)}). Check its address, the region"
                " and the credentials."
            ) from error


_NO_CREDENTIALS = (
    "boto3 finds no credentials for the endpoint. Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY,"
    " or AWS_PROFILE."
)


class _Throttled(Exception):
    """The endpoint asks for patience."""


class _Failed(Exception):
    def __init__(self, says: str, *, unreachable: bool) -> None:
        super().__init__(says)
        self.unreachable = unreachable


def _pause(times: int) -> float:
    longest: float = min(_FIRST_PAUSE_S * 2 ** (times - 1), _LONGEST_PAUSE_S)
    # Of all that wait, not every one comes back at the same moment.
    return longest * random.uniform(0.5, 1)  # noqa: S311


def _one_line(error: Exception) -> str:
    said = printable(str(error), 160)
    return f"{type(error).__name__}: {said}" if said else type(error).__name__


def check_endpoint(url: str | None, calls_per_second: float) -> None:
    """Check what was chosen of an endpoint, before anything is done with it.

    Raises:
        InvalidRequest: the address is none, or there is no such pace.
    """
    if not 0 < calls_per_second <= 1000:
        raise InvalidRequest(
            f"{calls_per_second} calls a second cannot be made. Give a number above 0, up to 1000."
        )
    if url is None:
        return
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and parts.hostname and (parts.port or 1)
    except ValueError:
        usable = False
    if not usable or "@" in url or "?" in url or "#" in url:
        # Unquoted: somebody may have written a password into it.
        raise InvalidRequest(
            "--endpoint is not the address of a Rekognition endpoint. Give one such as"
            " http://127.0.0.1:8020, or leave it out for AWS."
        )
