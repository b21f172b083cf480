"""A home: what an installation keeps. Its database, its keys, and the gallery they make up."""

from functools import partial

from likeness import index
from likeness.app.access import Rows
from likeness.app.installation import Installation
from likeness.config import Settings
from likeness.errors import InvalidRequest
from likeness.gallery import Gallery, KeptElsewhere, MakeIndex
from likeness.service.erase.forget import FORGOTTEN_FROM, OUT_OF_REACH
from likeness.vision.cohorts.cohort import Cohort


class Home(Rows):
    """A home that is open; one process at a time has it.

    Acts on a home take what they need of it: rows from `database`, keys from `keyring`, people from
    `gallery`.
    """

    def __init__(self, installation: Installation) -> None:
        """Open the home of an installation; what is not there yet is made.

        Raises:
            HomeInUse: another process has it open.
            Conflict: its database is of a newer program.
            DatabaseUnavailable: its database cannot be read and written.
            KeyUnusable: its keys cannot be had, or are not kept secret.
            InvalidRequest: the database's URL is none.
        """
        super().__init__(installation)
        settings = installation.settings
        try:
            self.collections = self.gallery = Gallery(
                self.database,
                self.keyring,
                installation.standards.cohort_of,
                Cohort.from_bytes,
                make_index=_make_index(settings),
                snapshots=settings.home / "snapshots",
                kept_elsewhere=KeptElsewhere(FORGOTTEN_FROM, OUT_OF_REACH),
            )
        except BaseException:
            self.database.close()
            raise

    def close(self) -> None:
        """Write what makes the next start fast, and let go of the home."""
        try:
            self.gallery.close()
        finally:
            super().close()


def _make_index(settings: Settings) -> MakeIndex:
    match settings.index:
        case "exact":
            return lambda name, model, dimensions: index.ExactIndex(model, dimensions)
        case "faiss":
            return lambda name, model, dimensions: index.FaissIndex(model, dimensions)
        case "milvus":
            if "@" in settings.milvus:  # messages name the address
                raise InvalidRequest(
                    "LIKENESS_MILVUS holds a user and a password. Put user:password into"
                    " LIKENESS_MILVUS_TOKEN."
                )
            return partial(
                index.MilvusIndex, settings.milvus, token=settings.milvus_token.get_secret_value()
            )
