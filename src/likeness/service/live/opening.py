"""Opens a registered source for whoever looks at it: its address is read for that alone."""

from functools import partial
from pathlib import Path
from uuid import UUID

from likeness import sources, streams
from likeness.service.uses import Rows
from likeness.video import Connect, PacedFile


def opened_source(rows: Rows, source_id: UUID) -> Connect | PacedFile:
    """Give what connects to a source again and again, or the file that it is.

    Raises:
        NotFound: it was removed.
        KeyUnusable: its key is gone.
    """
    address = rows.database.read(
        partial(sources.address_of, keyring=rows.keyring, source_id=source_id)
    )
    if address.startswith("/"):
        return PacedFile(Path(address))
    location = streams.read_location(address)
    return partial(streams.connect, location, rows.source_networks)
