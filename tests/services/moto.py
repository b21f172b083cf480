"""AWS's services other than Rekognition, as moto plays them on loopback."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import boto3
from moto.server import ThreadedMotoServer

KEY_ID, SECRET = "AKIDEXAMPLE", "a secret of nobody"
REGION = "us-east-1"


@contextmanager
def moto() -> Iterator[str]:
    """Serve on a free port of 127.0.0.1; gives the address."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        yield f"http://{host}:{port}"
    finally:
        server.stop()


def client(service: str, endpoint: str) -> Any:
    return boto3.client(
        service,
        endpoint_url=endpoint,
        region_name=REGION,
        aws_access_key_id=KEY_ID,
        aws_secret_access_key=SECRET,
    )


class Topic:
    """A topic of a server, and a queue that hears it."""

    def __init__(self, endpoint: str, name: str) -> None:
        sns, self._sqs = client("sns", endpoint), client("sqs", endpoint)
        self.arn: str = sns.create_topic(Name=name)["TopicArn"]
        self._queue = self._sqs.create_queue(QueueName=name)["QueueUrl"]
        sns.subscribe(
            TopicArn=self.arn,
            Protocol="sqs",
            Endpoint=f"arn:aws:sqs:{REGION}:123456789012:{name}",
            Attributes={"RawMessageDelivery": "true"},
        )

    def heard(self) -> list[str]:
        """Messages since last time, in the order they came."""
        got = self._sqs.receive_message(QueueUrl=self._queue, MaxNumberOfMessages=10)
        messages = got.get("Messages", [])
        for one in messages:
            self._sqs.delete_message(QueueUrl=self._queue, ReceiptHandle=one["ReceiptHandle"])
        return [one["Body"] for one in messages]


class DataStream:
    """A data stream of a server, of one shard."""

    def __init__(self, endpoint: str, name: str) -> None:
        self._kinesis = client("kinesis", endpoint)
        name = f"{name}-{uuid4().hex}"  # servers of one process share all that there is
        self._kinesis.create_stream(StreamName=name, ShardCount=1)
        self._kinesis.get_waiter("stream_exists").wait(StreamName=name)
        summary = self._kinesis.describe_stream_summary(StreamName=name)
        self.arn: str = summary["StreamDescriptionSummary"]["StreamARN"]

    def records(self) -> list[dict[str, Any]]:
        """All records so far, in the order they came."""
        (shard,) = self._kinesis.list_shards(StreamARN=self.arn)["Shards"]
        place = self._kinesis.get_shard_iterator(
            StreamARN=self.arn, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
        )["ShardIterator"]
        records: list[dict[str, Any]] = []
        while True:
            got = self._kinesis.get_records(StreamARN=self.arn, ShardIterator=place)
            if not got["Records"]:
                return records
            records.extend(got["Records"])
            place = got["NextShardIterator"]
