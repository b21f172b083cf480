"""Opens a registered source for whoever looks at it: its address is read for that alone."""

from functools import partial
from pathlib import Path
from uuid import UUID

from likeness import sources, streams
from likeness.service.uses import Rows
from likeness.streams import Location, read_location
from likeness.video import Connect, PacedFile


def opened_source(rows: Rows, source_id: UUID) -> Connect | PacedFile:
    """Give what connects to a source again and again, or the file that it is.

    Raises:
        NotFound: it was removed.
        KeyUnusable: its key is gone.
    """
    address = address_of(rows, source_id)
    if isinstance(address, Path):
        return PacedFile(address)
    return partial(streams.connect, address, rows.source_networks)


def address_of(rows: Rows, source_id: UUID) -> Location | Path:
    """Open where a source is, with its user and password: not to be shown.

    Raises:
        NotFound: it was removed.
        KeyUnusable: its key is gone.
    """
    address = rows.database.read(
        partial(sources.address_of, keyring=rows.keyring, source_id=source_id)
    )
    return Path(address) if address.startswith("/") else read_location(address)
