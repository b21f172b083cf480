"""Streams of any endpoint that speaks Kinesis Data Streams' protocol, told by AWS's own client.

What is told goes through a queue of its own for each `KinesisOutput`, in its order and without
anybody waiting: where the endpoint is slower than what is told, the oldest is dropped and counted.
Records that an endpoint takes without its answer arriving are sent again, so that a stream may have
one twice.

Which streams may be told is for the endpoint to say: it knows what the access key may write to.

AWS's client is imported by whoever makes one: commands that only name streams do not wait for it.
"""

import logging
import re
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Generic, TypeVar

from likeness.errors import InvalidRequest, NotifierUnavailable
from likeness.terms import Closing

T = TypeVar("T")

_logger = logging.getLogger(__name__)

_STREAM_ARN = re.compile(
    r"arn:aws[a-z-]*:kinesis:[a-z0-9-]+:[0-9]{12}:stream/[a-zA-Z0-9_.-]{1,128}", re.ASCII
)
_CONNECT_S = 5.0
_SILENCE_S = 10.0
_WHOLE_S = 20.0
_MOST_ANSWER_BYTES = 1 << 20
_MOST_CONNECTIONS = 32
# AWS's limits: of a request, and of a record with its key.
_MOST_RECORDS = 500
_MOST_BYTES = 4 << 20
_MOST_RECORD_BYTES = 1 << 20
_LONGEST_KEY_BYTES = 1024
# What may wait: minutes of one camera's frames.
_MOST_WAITING = 1000
_MOST_WAITING_BYTES = 16 << 20
# And for so long: who is erased, or told apart, meanwhile is named in it still.
_LONGEST_WAIT_S = 30.0
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.25, 8.0
_LINGER_S = 1.0
_FOR_NOW = {
    "InternalFailure",
    "KMSThrottlingException",
    "LimitExceededException",
    "ProvisionedThroughputExceededException",
    "RequestTimeout",
    "ServiceUnavailable",
    "SlowDown",
    "Throttling",
    "ThrottlingException",
}
"""Errors that pass by themselves; so does every answer with a status of 500 and more."""


def checked_stream_arn(arn: str) -> str:
    """Give a data stream's ARN as it came.

    Raises:
        InvalidRequest: it is none. It is not repeated.
    """
    if not _STREAM_ARN.fullmatch(arn):
        raise InvalidRequest(
            "Not the ARN of a Kinesis data stream. Give one such as"
            " arn:aws:kinesis:eu-west-1:123456789012:stream/frames."
        )
    return arn


@dataclass(frozen=True, slots=True)
class Put:
    """What became of records: those that are `left` were not taken for now, for a reason."""

    left: Sequence[bytes] = ()
    reason: str | None = None


class KinesisStreams:
    """Writes to streams at `endpoint`, an http or https address, with one access key.

    Raises:
        InvalidRequest: the address is none, or the access key is not whole.
    """

    def __init__(
        self, endpoint: str, *, region: str, access_key_id: str, secret_access_key: str
    ) -> None:
        from botocore.config import Config

        from likeness.bounded_answers import bounded_client

        self._client = bounded_client(
            "kinesis",
            endpoint,
            region=region,
            access_key_id=access_key_id,
            secret_access_key=secret_access_key,
            config=Config(
                connect_timeout=_CONNECT_S,
                read_timeout=_SILENCE_S,
                max_pool_connections=_MOST_CONNECTIONS,
                # Outputs try again, with what came meanwhile.
                retries={"mode": "standard", "total_max_attempts": 1},
            ),
        )
        self._endpoint = endpoint

    def output(
        self, stream_arn: str, word: Callable[[T], bytes], key: str = "likeness"
    ) -> "KinesisOutput[T]":
        """Give what tells one stream, as `word` words it, until it is closed.

        Records of one `key` keep their order; it chooses the stream's shard.
        """
        key = key[:_LONGEST_KEY_BYTES]
        return KinesisOutput(partial(self.put, stream_arn, key), word, key)

    def put(self, stream_arn: str, key: str, records: Sequence[bytes]) -> Put:
        """Give a stream records, at most 500 of 4 MiB together; say which it did not take.

        Raises:
            NotifierUnavailable: it will never take them: it is not there, or refuses.
        """
        from botocore.exceptions import ClientError

        from likeness.bounded_answers import NO_ANSWER, answers_within

        given = [{"Data": one, "PartitionKey": key} for one in records]
        try:
            with answers_within(_WHOLE_S, _SILENCE_S, _MOST_ANSWER_BYTES):
                answer = self._client.put_records(StreamARN=stream_arn, Records=given)
            taken = [one.get("ErrorCode") for one in answer["Records"]]
        except ClientError as error:
            code = str(error.response.get("Error", {}).get("Code"))
            status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
            if code in _FOR_NOW or status >= 500:
                return Put(records, f"{code!r:.60}")
            raise NotifierUnavailable(
                f"The Kinesis endpoint {self._endpoint} takes no records ({code!r:.60}). Check"
                " LIKENESS_KINESIS_ENDPOINT, the data stream, and what the access key may write to."
            ) from error
        except NO_ANSWER as error:
            return Put(records, type(error).__name__)
        except (KeyError, TypeError, AttributeError) as error:
            return Put(records, f"no answer to PutRecords: {type(error).__name__}")
        if len(taken) != len(records):
            return Put(records, "an answer for other records")
        left = [one for one, code in zip(records, taken, strict=True) if code is not None]
        return Put(left, next((f"{code!r:.60}" for code in taken if code is not None), None))


@dataclass(frozen=True, slots=True)
class _Record:
    """What waits, and since when."""

    content: bytes
    since_s: float


@dataclass(slots=True)
class _Queue:
    """Records that wait, within bounds."""

    dropped: int = 0
    _records: deque[_Record] = field(default_factory=deque)
    _bytes: int = 0

    def __len__(self) -> int:
        return len(self._records)

    def add(self, content: bytes) -> None:
        """Take a record; the oldest are dropped where too many wait."""
        self._records.append(_Record(content, time.monotonic()))
        self._bytes += len(content)
        self._shorten()

    def put_back(self, batch: Sequence[_Record], left: Iterable[bytes]) -> None:
        """Take back what is left of the oldest records, in their order."""
        every = iter(batch)
        back = [next(one for one in every if one.content is content) for content in left]
        for record in reversed(back):
            self._records.appendleft(record)
            self._bytes += len(record.content)
        self._shorten()

    def take(self) -> list[_Record]:
        """Give the oldest, as many as a request may have."""
        self._shorten()
        batch: list[_Record] = []
        left = _MOST_BYTES
        while (
            self._records and len(batch) < _MOST_RECORDS and len(self._records[0].content) <= left
        ):
            batch.append(self._records.popleft())
            left -= len(batch[-1].content)
            self._bytes -= len(batch[-1].content)
        return batch

    def _shorten(self) -> None:
        too_old_s = time.monotonic() - _LONGEST_WAIT_S
        while self._records and (
            len(self._records) > _MOST_WAITING
            or self._bytes > _MOST_WAITING_BYTES
            or self._records[0].since_s < too_old_s
        ):
            self._bytes -= len(self._records.popleft().content)
            self.dropped += 1


class KinesisOutput(Closing, Generic[T]):
    """Tells one stream, by a thread of its own; safe to use from many threads.

    `put` gives it records, in words that `word` finds; `name` stands for it in the log.
    """

    def __init__(
        self, put: Callable[[Sequence[bytes]], Put], word: Callable[[T], bytes], name: str
    ) -> None:
        self._put = put
        self._word = word
        self._name = name
        self._changed = threading.Condition()
        self._waiting = _Queue()
        self._sending = 0
        self._refusal: str | None = None
        self._ends_s: float | None = None
        self._thread = threading.Thread(
            target=self._tell_all, name="likeness: telling a Kinesis stream", daemon=True
        )
        self._thread.start()

    @property
    def dropped(self) -> int:
        """How many records the stream has not had and will not get."""
        with self._changed:
            return self._waiting.dropped

    def tell(self, one: T) -> None:
        """Take what is told; it is sent as soon as the endpoint takes it.

        Raises:
            NotifierUnavailable: it can never be told: the stream is not there, or refuses.
        """
        record = self._word(one)
        with self._changed:
            if self._refusal is not None:
                raise NotifierUnavailable(self._refusal)
            if len(record) > _MOST_RECORD_BYTES - _LONGEST_KEY_BYTES:
                self._waiting.dropped += 1
                return
            self._waiting.add(record)
            self._changed.notify_all()

    def close(self) -> None:
        """Tell what is left, for a second at most."""
        with self._changed:
            self._ends_s = time.monotonic() + _LINGER_S
            self._changed.notify_all()
        self._thread.join(_LINGER_S)
        with self._changed:
            lost = self._waiting.dropped + len(self._waiting) + self._sending
        if lost:
            _logger.warning("%s: a Kinesis stream was not told of %d records", self._name, lost)

    def _tell_all(self) -> None:
        pause_s = 0.0
        while batch := self._next(pause_s):
            try:
                put = self._put([one.content for one in batch])
            except NotifierUnavailable as error:
                self._refuse(batch, error)
                return
            if put.left:
                if not pause_s:
                    _logger.warning("%s: a Kinesis stream has to wait: %s", self._name, put.reason)
                with self._changed:
                    self._sending = 0
                    self._waiting.put_back(batch, put.left)
                pause_s = min(max(2 * pause_s, _FIRST_PAUSE_S), _LONGEST_PAUSE_S)
            else:
                pause_s = 0.0

    def _next(self, pause_s: float) -> list[_Record]:
        """Wait for records, after a pause; empty when it is closed and nothing is left to tell."""
        with self._changed:
            self._sending = 0
            if pause_s and self._changed.wait_for(self._is_closed, pause_s):
                self._changed.wait(_FIRST_PAUSE_S)  # at the end there is no time for longer ones
            batch: list[_Record] = []
            while not batch:
                self._changed.wait_for(lambda: self._waiting or self._is_closed())
                if self._ends_s is not None and time.monotonic() >= self._ends_s:
                    return []
                batch = self._waiting.take()
                if not batch and self._is_closed():
                    return []
            self._sending = len(batch)
            return batch

    def _is_closed(self) -> bool:
        return self._ends_s is not None

    def _refuse(self, batch: Sequence[_Record], error: NotifierUnavailable) -> None:
        with self._changed:
            self._refusal, self._sending = str(error), 0
            self._waiting.put_back(batch, [one.content for one in batch])
        _logger.warning("%s: a Kinesis stream cannot be told: %s", self._name, error)
