"""Programs for boto3 that ask this server the same: whole, to be pasted and run.

Names of files and collections come from whoever asks, so each is written as Python writes a text.
"""

import re

# As botocore's model has it for a collection's id.
_NAMES_ON_THE_WIRE = re.compile(r"[a-zA-Z0-9_.\-]{1,255}", re.ASCII)

_BEGINS = """\
from pathlib import Path
from pprint import pprint

import boto3

rekognition = boto3.client(
    "rekognition",
    endpoint_url={server!r},
    region_name="us-east-1",
)
"""


def is_for_boto3(collection: str) -> bool:
    """Say whether Rekognition's wire can name a collection."""
    return _NAMES_ON_THE_WIRE.fullmatch(collection) is not None


def program_that_detects(server: str, picture: str) -> str:
    """Write what finds the faces of a picture's file."""
    return _BEGINS.format(server=server) + (
        f"picture = Path({picture!r}).read_bytes()\n"
        "answer = rekognition.detect_faces(\n"
        '    Image={"Bytes": picture},\n'
        '    Attributes=["ALL"],\n'
        ")\n"
        'pprint(answer["FaceDetails"])\n'
    )


def program_that_compares(server: str, first: str, second: str, similarity: float) -> str:
    """Write what compares the files of two pictures."""
    return _BEGINS.format(server=server) + (
        f"first = Path({first!r}).read_bytes()\n"
        f"second = Path({second!r}).read_bytes()\n"
        "answer = rekognition.compare_faces(\n"
        '    SourceImage={"Bytes": first},\n'
        '    TargetImage={"Bytes": second},\n'
        f"    SimilarityThreshold={similarity:.4g},\n"
        ")\n"
        'pprint(answer["FaceMatches"])\n'
    )


def program_that_searches(server: str, picture: str, collection: str, similarity: float) -> str:
    """Write what searches a collection for the largest face of a picture's file."""
    return _BEGINS.format(server=server) + (
        f"picture = Path({picture!r}).read_bytes()\n"
        "answer = rekognition.search_faces_by_image(\n"
        f"    CollectionId={collection!r},\n"
        '    Image={"Bytes": picture},\n'
        f"    FaceMatchThreshold={similarity:.4g},\n"
        ")\n"
        'pprint(answer["FaceMatches"])\n'
    )
