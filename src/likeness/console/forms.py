"""Forms as browsers send them: fields and files, bounded, whoever sent them."""

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

from python_multipart.exceptions import FormParserError
from starlette.datastructures import Headers, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from likeness.errors import InvalidRequest

_MOST_FIELDS, _MOST_FILES, _MOST_FIELD_BYTES = 2_000, 200, 1 << 20


@dataclass(frozen=True, slots=True)
class File:
    """A file of a form; its name is what the browser says, and means nothing to us."""

    name: str
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Form:
    """The fields and files of a form, each in the order in which they came."""

    fields: Mapping[str, Sequence[str]] = field(default_factory=dict, repr=False)
    files: Mapping[str, Sequence[File]] = field(default_factory=dict)

    def text(self, name: str) -> str:
        """Give a field without the space around it; nothing where it did not come."""
        return next(iter(self.fields.get(name, ())), "").strip()

    def secret(self, name: str) -> str:
        """Give a field as it came."""
        return next(iter(self.fields.get(name, ())), "")

    def all(self, name: str) -> Sequence[str]:
        """Give all values of a field."""
        return self.fields.get(name, ())

    def has(self, name: str) -> bool:
        """Say whether a field came, such as a box that is ticked."""
        return bool(self.fields.get(name))

    def file(self, name: str) -> File | None:
        """Give a file; None where none was chosen."""
        return next(iter(self.files.get(name, ())), None)


def read_form(headers: Headers, body: bytes) -> Form:
    """Read the body of a form, which takes seconds where somebody means it to.

    Raises:
        InvalidRequest: it is no form, or has too many parts.
    """
    kind = headers.get("content-type", "").partition(";")[0].strip().casefold()
    if not body:
        return Form()
    if kind == "application/x-www-form-urlencoded":
        return _urlencoded(body)
    if kind == "multipart/form-data" and "charset" not in headers["content-type"].casefold():
        return asyncio.run(_multipart(headers, body))  # which waits for nothing
    raise InvalidRequest("Not a form. Send it from the page.")


def _urlencoded(body: bytes) -> Form:
    try:
        pairs = parse_qsl(
            body.decode(), keep_blank_values=True, max_num_fields=_MOST_FIELDS, errors="strict"
        )
    except ValueError as error:
        raise InvalidRequest("Not a form that can be read. Send it from the page.") from error
    fields: dict[str, list[str]] = {}
    for name, value in pairs:
        fields.setdefault(name, []).append(value)
    return Form(fields)


async def _multipart(headers: Headers, body: bytes) -> Form:
    async def pieces() -> AsyncGenerator[bytes, None]:
        yield body

    parser = MultiPartParser(
        headers,
        pieces(),
        max_files=_MOST_FILES,
        max_fields=_MOST_FIELDS,
        max_part_size=_MOST_FIELD_BYTES,
    )
    parser.spool_max_size = len(body) + 1  # pictures are not written to a disk
    try:
        read = await parser.parse()
    except (MultiPartException, FormParserError, UnicodeError, KeyError, ValueError) as error:
        raise InvalidRequest("Not a form that can be read. Send it from the page.") from error
    fields: dict[str, list[str]] = {}
    files: dict[str, list[File]] = {}
    try:
        for name, value in read.multi_items():
            if not isinstance(value, UploadFile):
                fields.setdefault(name, []).append(value)
            elif value.filename:  # no file was chosen otherwise
                content = await value.read()
                files.setdefault(name, []).append(File(value.filename, content))
    finally:
        await read.close()
    return Form(fields, files)
