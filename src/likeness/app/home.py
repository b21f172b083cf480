"""A home: what an installation keeps. Its database, its keys, and the gallery they make up."""

import shlex
from functools import partial
from types import TracebackType
from typing import Self

from likeness.app.installation import Installation
from likeness.config import Settings
from likeness.errors import InvalidRequest
from likeness.gallery.exact_index import ExactIndex
from likeness.gallery.faiss_index import FaissIndex
from likeness.gallery.gallery import Gallery
from likeness.gallery.milvus_index import MilvusIndex
from likeness.gallery.open_collection import MakeIndex
from likeness.secrets import CommandKeys, GivenKeys, KeyFiles, Keyring, KeySource
from likeness.storage import migrate, open_database
from likeness.vision.kept_cohort import read_cohort


class Home:
    """A home that is open; one process at a time has it.

    Acts on a home take what they need of it: rows from `database`, keys from `keyring`, people from
    `gallery`.
    """

    def __init__(self, installation: Installation) -> None:
        """Open the home of an installation; what is not there yet is made.

        Raises:
            Conflict: another process has it open, or its database is of a newer program.
            DatabaseUnavailable: its database cannot be read and written.
            KeyUnusable: its keys cannot be had, or are not kept secret.
            InvalidRequest: the database's URL is none.
        """
        settings = installation.settings
        self.installation = installation
        self.keyring = Keyring(key_source(settings))
        self.database = open_database(database_url(settings))
        try:
            migrate(self.database)
            self.gallery = Gallery(
                self.database,
                self.keyring,
                _make_index(settings),
                settings.home / "snapshots",
                installation.standards.cohort_of,
                read_cohort,
            )
        except BaseException:
            self.database.close()
            raise

    def close(self) -> None:
        """Write what makes the next start fast, and let go of the home."""
        try:
            self.gallery.close()
        finally:
            self.database.close()

    def __enter__(self) -> Self:
        """Give itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close."""
        self.close()


def database_url(settings: Settings) -> str:
    """Say where the database of a home is."""
    # SQLAlchemy's form: three slashes and an absolute path.
    given = settings.database.get_secret_value()
    return given or f"sqlite:///{settings.home.absolute() / 'likeness.db'}"


def key_source(settings: Settings) -> KeySource:
    """Say where the keys of a home come from.

    Raises:
        InvalidRequest: two places are named.
    """
    given = settings.keys.get_secret_value()
    if given and settings.keys_command:
        raise InvalidRequest(
            "LIKENESS_KEYS or LIKENESS_KEYS_COMMAND was expected and both are set: unset one"
        )
    if given:
        return GivenKeys(given, "LIKENESS_KEYS")
    if settings.keys_command:
        return CommandKeys(shlex.split(settings.keys_command))
    return KeyFiles(settings.home / "keys")


def _make_index(settings: Settings) -> MakeIndex:
    match settings.index:
        case "exact":
            return lambda name, model, dimensions: ExactIndex(model, dimensions)
        case "faiss":
            return lambda name, model, dimensions: FaissIndex(model, dimensions)
        case "milvus":
            return partial(
                MilvusIndex, settings.milvus, token=settings.milvus_token.get_secret_value()
            )
