"""Writes a `Response` as JSON by the service model; what that does not have is a mistake."""

import base64
import json
from typing import Any

from likeness.rekognition.call import Response
from likeness.rekognition.contract import Contract


def serialise(contract: Contract, response: Response) -> bytes:
    """Write what an operation answers as JSON; None is left out, empty lists are not.

    Raises:
        ValueError: the response is not of the operation's shape.
    """
    document = _value(contract.output, response)
    return json.dumps(document, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()


def _value(shape: Any, value: Any) -> Any:
    match shape.type_name:
        case "structure":
            if unknown := value.keys() - shape.members.keys():
                raise ValueError(f"{shape.name} has no {', '.join(sorted(unknown))}")
            return {
                name: _value(shape.members[name], inner)
                for name, inner in value.items()
                if inner is not None
            }
        case "list":
            return [_value(shape.member, inner) for inner in value]
        case "map":
            return {key: _value(shape.value, inner) for key, inner in value.items()}
        case "timestamp":
            return round(value.timestamp(), 3)
        case "blob":
            return base64.b64encode(value).decode()
        case "float":
            return float(value)
        case "integer" | "long":
            return int(value)
        case "boolean":
            return bool(value)
        case _:
            return str(value)
