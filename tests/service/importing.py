"""The program that test_export_import.py kills: it imports, and says when all is there."""

from multiprocessing.connection import Connection
from pathlib import Path

from likeness.secrets import passphrase
from likeness.service.move import import_
from likeness.service.uses.caller import Caller
from tests.service.people import home_at

WORDS = "correct horse battery"


def import_file(
    folder: Path, url: str, standards: Path, path: Path, name: str, said: Connection
) -> None:
    """Import a file; batches are small, so that there is time to be killed in."""
    passphrase._SCRYPT_COST = 2
    import_._AT_ONCE = 1
    with home_at(folder, url, standards) as home, path.open("rb") as file:
        said.send("begins")
        import_.import_collection(
            home,
            Caller(home.somebody, "import"),
            import_.read_export(file, lambda: WORDS),
            name,
        )
        said.send("done")
