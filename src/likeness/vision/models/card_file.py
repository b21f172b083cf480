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
from dataclasses import asdict
from pathlib import PurePosixPath
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    FiniteFloat,
    PositiveFloat,
    PositiveInt,
    ValidationError,
)

from likeness.artifacts import Address, PinnedFile
from likeness.errors import InvalidRequest
from likeness.vision.models.cards import (
    LicenceClass,
    Licences,
    LocalFile,
    ModelCard,
    two_files_refused,
)
from likeness.vision.networks.forms import Form
from likeness.vision.networks.session import Preparation


def _printable(text: str) -> str:
    # Cards are shown in terminals, where other characters are commands.
    if not text.strip() or not text.isprintable():
        raise ValueError("not a line of text")
    return text


_Line = Annotated[str, AfterValidator(_printable)]
_WORDS = {"extra_forbidden": "no such key is known", "missing": "this key is missing"}


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


class _Source(_Strict):
    bytes: PositiveInt
    sha256: _Line
    file: _Line | None = None
    url: _Line | None = None

    def pinned(self, licence: str, credits: str) -> PinnedFile | LocalFile:
        if (self.file is None) == (self.url is None):
            raise InvalidRequest("A source has a file or a url, and not both. Correct the card.")
        if self.url is None:
            return LocalFile(str(self.file), self.bytes, self.sha256)
        name = PurePosixPath(urlsplit(self.url).path).name
        return PinnedFile(name, self.bytes, self.sha256, Address(self.url), licence, credits)


class _Licences(_Strict):
    code: _Line
    weights: _Line
    weights_class: LicenceClass
    training_data: _Line


class _Preparation(_Strict):
    channels: Literal["RGB", "BGR"]
    mean: tuple[FiniteFloat, FiniteFloat, FiniteFloat]
    scale: PositiveFloat


class _Card(_Strict):
    name: _Line
    form: Form
    source: _Source
    licences: _Licences
    preparation: _Preparation | None = None
    dimensions: PositiveInt | None = None
    description: _Line
    known_limits: tuple[_Line, ...]
    credits: _Line


def read_card(content: bytes, where: str) -> ModelCard:
    """Read a card; `where` names its file in messages.

    Raises:
        InvalidRequest: it is not such JSON: a key is missing, unknown, or has a wrong value.
    """
    try:
        card = _Card.model_validate_json(content)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        place = ".".join(map(str, first["loc"])) or "JSON"
        reason = _WORDS.get(first["type"], first["msg"].removeprefix("Value error, "))
        raise InvalidRequest(
            f"Not a model card: {where}, {place}: {reason}. Correct it."
        ) from error
    if card.form.has_graph_file:
        raise InvalidRequest(two_files_refused(card.form))
    preparation = card.preparation
    return ModelCard(
        name=card.name,
        form=card.form,
        source=card.source.pinned(card.licences.weights, card.credits),
        licences=Licences(**dict(card.licences)),
        preparation=Preparation(**dict(preparation)) if preparation else card.form.preparation,
        dimensions=card.dimensions,
        description=card.description,
        known_limits=card.known_limits,
        credits=card.credits,
    )


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
                f"The weights of {card.name} come out of a package, and its card is built in. Only"
                " cards whose weights are a file or an address are written."
            )
    value = {
        **asdict(card),
        "source": {**origin, "bytes": card.source.size, "sha256": card.source.sha256},
    }
    kept = {name: part for name, part in value.items() if name in _Card.model_fields}
    if card.dimensions is None:
        del kept["dimensions"]
    return json.dumps(kept, indent=2, ensure_ascii=False) + "\n"
