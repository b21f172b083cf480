"""Which pack is meant? One that is shipped, by its name, or a file of the operator's."""

from pathlib import Path

from likeness.errors import InvalidRequest, NotFound
from likeness.policy import Pack, read_pack, shipped

_LARGEST_BYTES = 1_000_000


def named_pack(name_or_file: str) -> Pack:
    """Find a shipped pack, or read one from its two files.

    Raises:
        NotFound: it is neither.
        InvalidRequest: a file is not as it must be.
    """
    if name_or_file in shipped():
        return shipped()[name_or_file]
    if Path(name_or_file).suffix in (".toml", ".cedar"):
        return pack_in(Path(name_or_file))
    raise NotFound(
        f"a pack, or a file NAME.toml beside NAME.cedar, was expected and {name_or_file!r} is"
        " neither: `likeness policy list` lists the packs"
    )


def pack_in(path: Path) -> Pack:
    """Read a pack; `path` is either of its two files.

    Raises:
        InvalidRequest: a file is missing, or not as it must be.
    """
    facts, rules = (_text(path.with_suffix(suffix)) for suffix in (".toml", ".cedar"))
    return read_pack(path.stem, facts, rules)


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(_LARGEST_BYTES + 1)
        if len(content) > _LARGEST_BYTES:
            raise InvalidRequest(
                f"at most {_LARGEST_BYTES} bytes were expected in {path}: it is no pack's"
            )
        return content.decode("utf-8")
    except OSError as error:
        raise InvalidRequest(
            f"the facts of a pack in NAME.toml and its rules in NAME.cedar beside it were expected,"
            f" {path} cannot be read ({error.strerror}): mend that"
        ) from error
    except UnicodeDecodeError as error:
        raise InvalidRequest(
            f"UTF-8 was expected in {path}, which has other bytes: correct it"
        ) from error
