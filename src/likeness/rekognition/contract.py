"""Rekognition's contract: the service model that botocore ships.

Shapes are botocore's own objects; `Any` stands for them here and in `parsing` and `serialising`,
and nowhere else.
"""

from collections.abc import Mapping
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
    return contracts().get(operation)


@cache
def contracts() -> Mapping[str, Contract]:
    """Read all operations that the service model has, by their names."""
    # What is in the user's own ~/.aws/models is no contract of ours.
    loader = Loader([Loader.BUILTIN_DATA_PATH], include_default_search_paths=False)
    service = ServiceModel(loader.load_service_model("rekognition", "service-2", API_VERSION))
    return {
        name: _contract(name, service.operation_model(name)) for name in service.operation_names
    }


def _contract(name: str, model: Any) -> Contract:
    return Contract(
        name,
        model.input_shape,
        model.output_shape,
        frozenset(shape.name for shape in model.error_shapes),
        any(member.name == "Image" for member in model.input_shape.members.values()),
    )
