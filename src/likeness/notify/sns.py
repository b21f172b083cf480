"""Topics of any endpoint that speaks SNS's protocol, told by AWS's own client.

Which topics may be told is for the endpoint to say: it knows what the access key may publish to.

AWS's client is imported by whoever makes one: commands that only name topics do not wait for it.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from likeness.errors import NotifierUnavailable

_CONNECT_S = 5.0
_SILENCE_S = 10.0
_WHOLE_S = 20.0
_MOST_BYTES = 1 << 20


class SnsTopics:
    """Publishes to topics at `endpoint`, an http or https address, with one access key.

    Raises:
        InvalidRequest: the address is none, or the access key is not whole.
    """

    def __init__(
        self, endpoint: str, *, region: str, access_key_id: str, secret_access_key: str
    ) -> None:
        from botocore.config import Config

        from likeness.bounded_answers import bounded_client

        self._client = bounded_client(
            "sns",
            endpoint,
            region=region,
            access_key_id=access_key_id,
            secret_access_key=secret_access_key,
            config=Config(
                connect_timeout=_CONNECT_S,
                read_timeout=_SILENCE_S,
                # Who publishes tries again, much later.
                retries={"mode": "standard", "total_max_attempts": 1},
            ),
        )
        self._endpoint = endpoint

    def publish(self, topic_arn: str, message: str) -> None:
        """Give a topic a message; it may get one twice where an answer is lost.

        Raises:
            NotifierUnavailable: the endpoint does not take it, or cannot be reached.
        """
        from likeness.bounded_answers import answers_within

        with self._faults(), answers_within(_WHOLE_S, _SILENCE_S, _MOST_BYTES):
            self._client.publish(TopicArn=topic_arn, Message=message)

    @contextmanager
    def _faults(self) -> Iterator[None]:
        from botocore.exceptions import ClientError

        from likeness.bounded_answers import NO_ANSWER

        try:
            yield
        except ClientError as error:
            code = str(error.response.get("Error", {}).get("Code"))
            raise self._unavailable(f"{code!r:.60}") from error
        except NO_ANSWER as error:
            raise self._unavailable(type(error).__name__) from error

    def _unavailable(self, reason: str) -> NotifierUnavailable:
        return NotifierUnavailable(
            f"The SNS endpoint {self._endpoint} took no message ({reason}). Check it,"
            " LIKENESS_SNS_ENDPOINT, the topic, and what the access key may publish to."
        )
