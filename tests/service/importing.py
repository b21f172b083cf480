"""The program that test_export_import.py kills: it imports, and says when all is there."""

from multiprocessing.connection import Connection
from pathlib import Path

from likeness.secrets import passphrase
from likeness.service.move import import_collection
from likeness.service.move.import_lines import read_export
from tests.service.people import home_at, no_record

WORDS = "correct horse battery"


def import_file(
    folder: Path, url: str, standards: Path, path: Path, name: str, said: Connection
) -> None:
    """Import a file; batches are small, so that there is time to be killed in."""
    passphrase._SCRYPT_COST = 2
    import_collection._AT_ONCE = 1
    with home_at(folder, url, standards) as home, path.open("rb") as file:
        said.send("begins")
        import_collection.import_collection(
            no_record(home),
            home.gallery,
            home.installation.standards,
            read_export(file, lambda: WORDS),
            name,
        )
        said.send("done")
