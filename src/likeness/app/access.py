"""How are a home's rows and keys reached, by whom, also while a server has its gallery open?"""

import os
import pwd
import shlex
from contextlib import suppress
from datetime import timedelta

from sqlalchemy import Connection

from likeness.app.installation import Installation
from likeness.config import Settings
from likeness.errors import InvalidRequest, KeyUnusable, ModelTampered, NotFound
from likeness.gallery import Collection, Collections
from likeness.ledger import Ledger
from likeness.policy import ChosenPack, RulesInForce, enabled, require_known, shipped
from likeness.secrets import CommandKeys, KeyFiles, Keyring, KeySource, TextKeys
from likeness.service.uses import Desk, Outcome, Withholding
from likeness.storage import Freshness, SqliteFile, current, migrate, open_database, read_address
from likeness.terms import UNDECLARED, Action, Closing, Principal, Role, Use
from likeness.vision.cohorts.cohort import METHOD, Cohort


class Rows(Closing):
    """The rows and keys of a home, without its gallery: any number of processes may have them.

    For what is to work while a server runs: access keys, rules, the ledger, review, whatever of
    collections takes no index. Acts go through `desk`, so that each leaves a record; `somebody` is
    who acts at the command line.
    """

    def __init__(self, installation: Installation) -> None:
        """Open the database and the keys of an installation; what is not there yet is made.

        Raises:
            Conflict: another program holds the database, or it is of a newer one.
            DatabaseUnavailable: the database cannot be read and written.
            KeyUnusable: the keys cannot be had, or are not kept secret.
            InvalidRequest: the database's URL is none, or rules do not know what somebody at the
                command line declares.
        """
        settings = installation.settings
        self.installation = installation
        self.somebody = somebody_here(settings)
        self.keyring = Keyring(key_source(settings))
        self.database = open_database(database_url(settings))
        try:
            migrate(self.database)
            self.ledger = Ledger(self.database, self.keyring)
        except BaseException:
            self.database.close()
            raise
        standards = installation.standards
        self.collections = Collections(
            self.database, self.keyring, standards.cohort_of, Cohort.from_bytes
        )
        self.freshness = Freshness(self.database)
        self.rules = RulesInForce(self.freshness)
        withholding = Withholding(
            self.keyring, settings.crops == "on", timedelta(days=settings.case_days)
        )
        self.desk = Desk(self.database, self.ledger, self.rules, withholding)
        try:
            self._even_older_scores_out()
        except BaseException:
            self.database.close()
            raise

    def _even_older_scores_out(self) -> None:
        """Let collections whose scores meant something else go by the present cohorts."""
        for collection in self.collections.collections():
            if not collection.cohort_version.startswith(METHOD):
                # A home opens whatever is wrong with one collection; whoever uses that is told.
                with suppress(KeyUnusable, ModelTampered):
                    self.adopt_cohort(collection)

    def adopt_cohort(self, collection: Collection) -> bool:
        """Let the cohort of its model even a collection out, where its own is gone.

        So it goes with collections of an older Likeness, and when an operator's cohort is replaced.
        Scores are computed anew from the templates. Says whether anything changed.
        """
        standards = self.installation.standards
        try:
            version = standards.cohort(collection.model).version
        except NotFound:
            return False  # whoever uses it is told
        try:
            standards.cohort_of(collection.model, collection.cohort_version)
            return False
        except NotFound:
            if collection.kept_cohort() is not None:
                return False

        def adopt(connection: Connection) -> None:
            collection.within(connection).adopt_cohort(version)

        use = Use(self.somebody, Action.GOVERN, "AdoptCohort", collection.id)
        with self.desk.record(use) as record:
            record.write(adopt, lambda _: Outcome(details={"cohort": version}))
        return True

    def close(self) -> None:
        """Let go of the database."""
        self.database.close()


def enabled_here(installation: Installation) -> list[ChosenPack]:
    """Give the packs that are enabled in a home; where there is none yet, all that are shipped.

    No home is made. One of an older Likeness is brought up to date, as by whatever opens its rows.

    Raises:
        InvalidRequest: an enabled pack cannot be read; and what `Rows` raises.
    """
    if _is_there(installation.settings):
        with Rows(installation) as rows:
            return [one.chosen for one in rows.database.read(enabled.every)]
    return [ChosenPack.of(pack, {}) for pack in shipped().values() if not pack.facts.always]


def _is_there(settings: Settings) -> bool:
    """Whether a home has a database with a schema, be it an older one."""
    url = database_url(settings)
    address = read_address(url)
    if isinstance(address, SqliteFile) and not address.path.exists():
        return False  # to open it would make it
    with open_database(url) as database:
        return current(database) is not None


def somebody_here(settings: Settings) -> Principal:
    """Say who is at the command line: an admin, since they can read the home's keys.

    Raises:
        InvalidRequest: rules do not know what the settings declare.
    """
    try:
        require_known(
            sector=settings.sector, jurisdiction=settings.jurisdiction, purposes=[settings.purpose]
        )
    except InvalidRequest as error:
        raise InvalidRequest(
            f"{error} LIKENESS_SECTOR, LIKENESS_JURISDICTION or LIKENESS_PURPOSE says so."
        ) from error
    return Principal(
        f"local:{user_here()}",
        Role.ADMIN,
        settings.organisation,
        settings.sector,
        settings.jurisdiction,
        tuple(purpose for purpose in (settings.purpose,) if purpose != UNDECLARED),
    )


def user_here() -> str:
    """Name who runs this, as the system has it: what the environment says, anybody can choose."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # a container's user may have no name
        return str(os.getuid())


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
        raise InvalidRequest("LIKENESS_KEYS and LIKENESS_KEYS_COMMAND are both set. Unset one.")
    if given:
        return TextKeys(given, "LIKENESS_KEYS")
    if settings.keys_command:
        return CommandKeys(shlex.split(settings.keys_command))
    return KeyFiles(settings.home / "keys")
