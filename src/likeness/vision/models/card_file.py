"""Model cards as JSON: written by users, read strictly, one line about the first mistake.

    {"name": "my-arcface", "form": "arcface", "dimensions": 512,
     "source": {"file": "model.onnx", "bytes": 1234, "sha256": "..."},
     "licences": {"code": "MIT", "weights": "research only", "weights_class": "non-commercial",
                  "training_data": "MS1MV3"},
     "preparation": {"channels": "RGB", "mean": [127.5, 127.5, 127.5], "scale": 127.5},
     "description": "...", "known_limits": ["..."], "credits": "..."}

A source has a `file` beside the card, or an https `url`. Detectors have no `dimensions`; without a
`preparation` that of the form holds, and its mean is in the network's own order of channels.
"""

import json
import math
from enum import StrEnum
from pathlib import PurePosixPath
from typing import TypeVar
from urllib.parse import urlsplit

from likeness.artifacts import Address, PinnedFile
from likeness.errors import InvalidRequest
from likeness.vision.models.cards import (
    LicenceClass,
    Licences,
    LocalFile,
    ModelCard,
    two_files_refused,
)
from likeness.vision.networks.forms import Form, Task
from likeness.vision.networks.session import Preparation

_Choice = TypeVar("_Choice", bound=StrEnum)


def read_card(text: str, where: str) -> ModelCard:
    """Read a card; `where` names its file in messages.

    Raises:
        InvalidRequest: it is not such JSON: a key is missing, unknown, or has a wrong value.
    """
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidRequest(
            f"{where} was expected to be a model card in JSON and is not ({error}): correct it"
        ) from error
    card = _Fields(where, value)
    form = card.choice("form", Form)
    if form.has_graph_file:
        raise InvalidRequest(two_files_refused(form))
    licences = card.inner("licences")
    weights_licence, credits = licences.line("weights"), card.line("credits")
    read = ModelCard(
        name=card.line("name"),
        form=form,
        source=_source(card.inner("source"), weights_licence, credits),
        licences=Licences(
            code=licences.line("code"),
            weights=weights_licence,
            weights_class=licences.choice("weights_class", LicenceClass),
            training_data=licences.line("training_data"),
        ),
        preparation=(
            _preparation(card.inner("preparation")) if "preparation" in card else form.preparation
        ),
        dimensions=card.count("dimensions") if form.task is Task.RECOGNISER else None,
        description=card.line("description"),
        known_limits=card.lines("known_limits"),
        credits=credits,
    )
    licences.refuse_unread()
    card.refuse_unread()
    return read


def write_card(card: ModelCard) -> str:
    """Write a user's card, so that `read_card` reads the same.

    Raises:
        InvalidRequest: it is a built-in card, whose weights come out of a package.
    """
    match card.source:
        case LocalFile(name=name):
            origin = {"file": name}
        case PinnedFile(source=Address(url=url)):
            origin = {"url": url}
        case _:
            raise InvalidRequest(
                f"a card whose weights are a file or an address is needed; those of {card.name}"
                " come out of a package: leave it built in"
            )
    value = {
        "name": card.name,
        "form": card.form,
        "source": {**origin, "bytes": card.source.size, "sha256": card.source.sha256},
        "licences": {
            "code": card.licences.code,
            "weights": card.licences.weights,
            "weights_class": card.licences.weights_class,
            "training_data": card.licences.training_data,
        },
        "preparation": {
            "channels": card.preparation.channels,
            "mean": card.preparation.mean,
            "scale": card.preparation.scale,
        },
        **({} if card.dimensions is None else {"dimensions": card.dimensions}),
        "description": card.description,
        "known_limits": card.known_limits,
        "credits": card.credits,
    }
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def _source(source: "_Fields", licence: str, credits: str) -> PinnedFile | LocalFile:
    size, sha256 = source.count("bytes"), source.line("sha256")
    if "url" in source:
        url = source.line("url")
        name = PurePosixPath(urlsplit(url).path).name
        source.refuse_unread()
        return PinnedFile(name, size, sha256, Address(url), licence, credits)
    name = source.line("file")
    source.refuse_unread()
    return LocalFile(name, size, sha256)


def _preparation(preparation: "_Fields") -> Preparation:
    first, second, third = preparation.three_numbers("mean")
    read = Preparation(
        mean=(first, second, third),
        scale=preparation.positive_number("scale"),
        channels=preparation.choice("channels", _Channels).value,
    )
    preparation.refuse_unread()
    return read


class _Channels(StrEnum):
    RGB = "RGB"
    BGR = "BGR"


class _Fields:
    """A JSON object; each key is taken once, and what is left over is a mistake."""

    def __init__(self, where: str, value: object) -> None:
        if not isinstance(value, dict):
            raise InvalidRequest(
                f"{where} was expected to hold a JSON object and does not: write it in braces"
            )
        self._where = where
        self._unread = value

    def __contains__(self, key: str) -> bool:
        return key in self._unread

    def inner(self, key: str) -> "_Fields":
        return _Fields(f"{key} in {self._where}", self._take(key, "a JSON object"))

    def line(self, key: str) -> str:
        expected = "a line of text"
        return self._line(key, self._take(key, expected), expected)

    def lines(self, key: str) -> tuple[str, ...]:
        expected = "a list of lines of text"
        values = self._take(key, expected)
        if not isinstance(values, list):
            raise self._wrong(key, expected, values)
        return tuple(self._line(key, value, expected) for value in values)

    def choice(self, key: str, choices: type[_Choice]) -> _Choice:
        expected = f"one of {', '.join(choices)}"
        value = self._take(key, expected)
        if not isinstance(value, str) or value not in list(choices):
            raise self._wrong(key, expected, value)
        return choices(value)

    def count(self, key: str) -> int:
        expected = "a whole number above 0"
        value = self._take(key, expected)
        # Python counts true as 1.
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            raise self._wrong(key, expected, value)
        return value

    def positive_number(self, key: str) -> float:
        expected = "a number above 0"
        value = self._number(key, self._take(key, expected), expected)
        if value <= 0:
            raise self._wrong(key, expected, value)
        return value

    def three_numbers(self, key: str) -> list[float]:
        expected = "a list of three numbers"
        values = self._take(key, expected)
        if not isinstance(values, list) or len(values) != 3:
            raise self._wrong(key, expected, values)
        return [self._number(key, value, expected) for value in values]

    def refuse_unread(self) -> None:
        if self._unread:
            raise InvalidRequest(
                f"{self._where} has a key that is not known here, {next(iter(self._unread))!r}:"
                " remove it or correct its spelling"
            )

    def _take(self, key: str, expected: str) -> object:
        if key not in self._unread:
            raise InvalidRequest(f"{self._where} has no {key!r}: add it, {expected}")
        return self._unread.pop(key)

    def _line(self, key: str, value: object, expected: str) -> str:
        # Printable: cards are shown in terminals, where other characters are commands.
        if not isinstance(value, str) or not value.strip() or not value.isprintable():
            raise self._wrong(key, expected, value)
        return value

    def _number(self, key: str, value: object, expected: str) -> float:
        if not isinstance(value, int | float) or isinstance(value, bool):
            raise self._wrong(key, expected, value)
        if not math.isfinite(value):
            raise self._wrong(key, expected, value)
        return float(value)

    def _wrong(self, key: str, expected: str, value: object) -> InvalidRequest:
        return InvalidRequest(
            f"{key!r} in {self._where} was expected to be {expected}, it is"
            f" {json.dumps(value)[:80]}: correct it"
        )
