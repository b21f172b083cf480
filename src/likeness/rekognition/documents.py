"""Reads a request's JSON and writes a response's, both by the service model.

A value of the wrong kind ends the reading with SerializationException. Whatever else a value
breaks is collected and answered at once, as ValidationException. Members that the model does not
have are left out, and null counts as left out. What a response has and its model has not is a
mistake of ours.

The model's patterns are Java's; here they become Python's. A value has to match as a whole, as in
Java's `matches`, and be no longer than the model allows. A test tries every pattern with values
that make patterns backtrack.
"""

import base64
import binascii
import json
import math
import re
import sys
from collections.abc import Iterable
from functools import cache
from typing import Any, NoReturn

from likeness.rekognition.call import Contract, Request, Response
from likeness.rekognition.faults import AwsError

_KINDS = {
    "string": "String",
    "integer": "Integer",
    "long": "Long",
    "float": "Float",
    "boolean": "Boolean",
    "blob": "ByteBuffer",
}
_BITS = {"integer": 31, "long": 63}
_NUMBERS = ("integer", "long", "float")
_CONSTRAINTS = {
    "max": "Member must have {size} less than or equal to {limit}",
    "min": "Member must have {size} greater than or equal to {limit}",
    "pattern": "Member must satisfy regular expression pattern: {limit}",
    "enum": "Member must satisfy enum value set: {limit}",
}
_SHOWN_CHARACTERS = 256

_CATEGORIES = {
    r"\p{L}\p{Z}\p{N}": r"\w\u0020\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000",
}
_NO_LINE_END = r"[^\n\r\u0085\u2028\u2029]"
_TOKEN = re.compile(r"\\.|\[(?:\\.|[^\]\\])*\]|\.", re.DOTALL)


def parse(contract: Contract, body: bytes | bytearray) -> Request:
    """Read what an operation is asked.

    Raises:
        AwsError: SerializationException or ValidationException.
    """
    document = _document(body)
    if not isinstance(document, dict):
        raise _unreadable("Start of structure or map expected")
    reading = _Reading()
    request: Request = reading.value(contract.input, document, "")
    if reading.violations:
        count = len(reading.violations)
        raise AwsError(
            "ValidationException",
            f"{count} validation error{'s' if count > 1 else ''} detected: "
            + "; ".join(reading.violations),
        )
    return request


def serialise(contract: Contract, response: Response) -> bytes:
    """Write what an operation answers as JSON; None is left out, empty lists are not.

    Raises:
        ValueError: the response is not of the operation's shape.
    """
    document = _written(contract.output, response)
    return json.dumps(document, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()


class _Reading:
    """One reading of a document, and what it found that the model does not allow."""

    def __init__(self) -> None:
        self.violations: list[str] = []

    def value(self, shape: Any, value: Any, path: str) -> Any:
        """Read a value, and note what of its own constraints it breaks."""
        match shape.type_name:
            case "structure":
                return self._structure(shape, value, path)
            case "list":
                self._note(value, path, _broken(shape, _expected(value, list)))
                return self._list(shape, value, path)
            case "map":
                self._note(value, path, _broken(shape, _expected(value, dict)))
                return self._map(shape, value, path)
            case _:
                read = _scalar(shape, value)
                self._note(read, path, _broken(shape, read))
                return read

    def _structure(self, shape: Any, value: Any, path: str) -> dict[str, Any]:
        _expected(value, dict)
        for name in shape.required_members:
            if value.get(name) is None:
                self._note(None, _within(path, name), ["Member must not be null"])
        return {
            name: self.value(member, value[name], _within(path, name))
            for name, member in shape.members.items()
            if value.get(name) is not None
        }

    def _list(self, shape: Any, values: list[Any], path: str) -> list[Any]:
        if any(value is None for value in values):
            self._note(values, path, ["Member must not be null"])
            return []
        if shape.member.type_name in ("structure", "list", "map"):
            return [
                self.value(shape.member, value, f"{path}.{place}.member")
                for place, value in enumerate(values, 1)
            ]
        read = [_scalar(shape.member, value) for value in values]
        self._note_members(read, path, shape.member, read, "Member must satisfy constraint")
        return read

    def _map(self, shape: Any, entries: dict[str, Any], path: str) -> dict[str, Any]:
        keys = [_scalar(shape.key, key) for key in entries]
        values = [_scalar(shape.value, value) for value in entries.values()]
        self._note_members(entries, path, shape.key, keys, "Map keys must satisfy constraint")
        self._note_members(entries, path, shape.value, values, "Map value must satisfy constraint")
        return dict(zip(keys, values, strict=True))

    def _note_members(
        self, whole: object, path: str, shape: Any, members: Iterable[Any], words: str
    ) -> None:
        """Note once, for all members, every constraint that they have."""
        if any(_broken(shape, member) for member in members):
            constraints = [_constraint(shape, n) for n in _CONSTRAINTS if n in shape.metadata]
            self._note(whole, path, [f"{words}: [{', '.join(constraints)}]"])

    def _note(self, value: object, path: str, constraints: Iterable[str]) -> None:
        for constraint in constraints:
            shown = "null" if value is None else f"'{_shown(value)}'"
            self.violations.append(
                f"Value {shown} at '{path}' failed to satisfy constraint: {constraint}"
            )


def _scalar(shape: Any, value: Any) -> Any:
    kind = shape.type_name
    match kind, value:
        case "string", str():
            return _text(value)
        case "blob", str():
            return _blob(value)
        case "boolean", bool():
            return value
        case "integer" | "long" | "float", bool():
            _wrong_kind(value, kind)
        case "integer" | "long", int() | float() if value == int(value):
            if not -(1 << _BITS[kind]) <= value < 1 << _BITS[kind]:
                _wrong_kind(value, kind)
            return int(value)
        case "float", int() | float() if abs(value) <= sys.float_info.max:
            return float(value)
        case _:
            _wrong_kind(value, kind)


def _broken(shape: Any, value: Any) -> list[str]:
    """Name the constraints of a shape that a value breaks, length before pattern as AWS does."""
    if shape.type_name == "boolean":
        return []
    limits, size = shape.metadata, value if shape.type_name in _NUMBERS else len(value)
    if "max" in limits and size > limits["max"]:
        # One error is enough: a few patterns take the square of a value's length.
        return [_constraint(shape, "max")]
    broken = []
    if "min" in limits and size < limits["min"]:
        broken.append("min")
    if "pattern" in limits and not matches(limits["pattern"], value):
        broken.append("pattern")
    if "enum" in limits and value not in limits["enum"]:
        broken.append("enum")
    return [_constraint(shape, name) for name in broken]


def _constraint(shape: Any, name: str) -> str:
    """Say a constraint of a shape as AWS does."""
    limit = shape.metadata[name]
    return _CONSTRAINTS[name].format(
        size="value" if shape.type_name in _NUMBERS else "length",
        limit=f"[{', '.join(limit)}]" if name == "enum" else limit,
    )


def _document(body: bytes | bytearray) -> Any:
    try:
        return json.loads(body.decode(), parse_constant=_no_constant, parse_float=_finite)
    except (ValueError, RecursionError) as error:
        raise _unreadable("Request body is not well-formed JSON in UTF-8") from error


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def _finite(digits: str) -> float:
    if not math.isfinite(number := float(digits)):
        raise ValueError(f"{digits} is beyond the range of a double")
    return number


def _text(value: str) -> str:
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise _unreadable("Half of a surrogate pair cannot be converted to String") from error
    return value


def _blob(value: str) -> bytes:
    try:
        return binascii.a2b_base64(value, strict_mode=True)
    except ValueError as error:
        raise _unreadable("Invalid Base64 cannot be converted to ByteBuffer") from error


def _expected(value: Any, kind: type) -> Any:
    if isinstance(value, kind):
        return value
    if isinstance(value, dict):
        raise _unreadable("Start of structure or map found where not expected.")
    if isinstance(value, list):
        raise _unreadable("Start of list found where not expected")
    raise _unreadable(f"Unexpected {_token(value)}")


def _wrong_kind(value: object, kind: str) -> NoReturn:
    if isinstance(value, dict | list):
        _expected(value, type(None))
    raise _unreadable(f"{_token(value)} cannot be converted to {_KINDS[kind]}")


def _token(value: object) -> str:
    match value:
        case bool():
            return "TRUE_VALUE" if value else "FALSE_VALUE"
        case str():
            return "STRING_VALUE"
        case None:
            return "NULL_VALUE"
        case _:
            return "NUMBER_VALUE"


def _unreadable(message: str) -> AwsError:
    return AwsError("SerializationException", message)


def _within(path: str, name: str) -> str:
    member = name[0].lower() + name[1:]
    return f"{path}.{member}" if path else member


def _shown(value: object) -> str:
    """Write a value as AWS does; a long one is cut, for it came from the caller."""
    match value:
        case bytes():
            return f"java.nio.HeapByteBuffer[pos=0 lim={len(value)} cap={len(value)}]"
        case list():
            words = f"[{', '.join(map(_shown, value[:_SHOWN_CHARACTERS]))}]"
        case dict():
            words = f"{{{', '.join(f'{key}={_shown(inner)}' for key, inner in value.items())}}}"
        case None:
            words = "null"
        case _:
            words = str(value)
    return words if len(words) <= _SHOWN_CHARACTERS else words[:_SHOWN_CHARACTERS] + "..."


def matches(pattern: str, value: str) -> bool:
    """Say whether a value is as a pattern of the model asks."""
    return _compiled(pattern).fullmatch(value) is not None


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    translated = pattern
    for java, python in _CATEGORIES.items():
        translated = translated.replace(java, python)
    # Java's dot stops at more line ends than Python's; its \d, \s and \w know ASCII alone.
    translated = _TOKEN.sub(lambda token: _NO_LINE_END if token[0] == "." else token[0], translated)
    return re.compile(translated, re.ASCII if translated == pattern or r"\p" not in pattern else 0)


def _written(shape: Any, value: Any) -> Any:
    match shape.type_name:
        case "structure":
            if unknown := value.keys() - shape.members.keys():
                raise ValueError(f"{shape.name} has no {', '.join(sorted(unknown))}")
            return {
                name: _written(shape.members[name], inner)
                for name, inner in value.items()
                if inner is not None
            }
        case "list":
            return [_written(shape.member, inner) for inner in value]
        case "map":
            return {key: _written(shape.value, inner) for key, inner in value.items()}
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
