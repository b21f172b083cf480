"""Who signed a request of `/v1/`? The same keys and signatures as on Rekognition's wire."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from hashlib import sha256

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from likeness.errors import Denied
from likeness.rekognition.contract import SIGNING_NAME
from likeness.rekognition.faults import AwsError
from likeness.rekognition.rates import Rates
from likeness.rekognition.signature import Head, Keys, read_claim, require_key, verify
from likeness.terms import Principal
from likeness.v1.problems import Problem


def authenticate_with(
    keys: Keys, rates: Rates, clock: Callable[[], datetime]
) -> Callable[[Request], Awaitable[Principal]]:
    """Make what proves who signed a request, whose body has to be bounded before.

    It raises `Denied` where nobody known has, and `Problem` where they ask too often.
    """

    async def authenticate(request: Request) -> Principal:
        scope = request.scope
        head = Head(
            scope["method"],
            scope["raw_path"].decode("latin-1"),
            scope["query_string"].decode("latin-1"),
            [(name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]],
        )
        try:
            claim = read_claim(head, SIGNING_NAME, clock())
            await run_in_threadpool(require_key, claim, keys)
            body_sha256 = sha256(await request.body()).hexdigest()
            principal = (await run_in_threadpool(verify, head, claim, body_sha256, keys)).principal
        except AwsError as error:
            raise Denied(
                "a request signed with an access key of ours was expected (AWS Signature Version 4,"
                f" service {SIGNING_NAME}) and it is not: {error.message}"
            ) from error
        try:
            rates.take(principal.id)
        except AwsError as error:
            raise Problem(429, "TooManyRequests", error.message) from error
        return principal

    return authenticate
