"""Rekognition's contract: the service model that botocore ships.

Shapes are botocore's own objects; `Any` stands for them here and in `parsing` and `serialising`,
and nowhere else.
"""

from dataclasses import dataclass
from functools import cache
from typing import Any

from botocore.loaders import Loader
from botocore.model import ServiceModel

API_VERSION = "2016-06-27"
TARGET_PREFIX = "RekognitionService"


@dataclass(frozen=True, slots=True, eq=False)
class Contract:
    """What one operation takes, gives and may answer instead.

    `errors` are the codes that its model lists. `takes_picture` says that networks run for it.
    """

    name: str
    input: Any
    output: Any
    errors: frozenset[str]
    takes_picture: bool


def contract(operation: str) -> Contract | None:
    """Look up an operation of the 75; None where the name is not among them."""
    # Names that callers make up must not fill the cache.
    return _contract(operation) if operation in operation_names() else None


@cache
def operation_names() -> tuple[str, ...]:
    """Name all operations that the service model has."""
    return tuple(_service().operation_names)


@cache
def _contract(operation: str) -> Contract:
    model = _service().operation_model(operation)
    return Contract(
        operation,
        model.input_shape,
        model.output_shape,
        frozenset(shape.name for shape in model.error_shapes),
        any(member.name == "Image" for member in model.input_shape.members.values()),
    )


@cache
def _service() -> Any:
    # What is in the user's own ~/.aws/models is no contract of ours.
    loader = Loader([Loader.BUILTIN_DATA_PATH], include_default_search_paths=False)
    return ServiceModel(loader.load_service_model("rekognition", "service-2", API_VERSION))
