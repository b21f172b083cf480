"""Opens a home, put together from settings: its rows, its keys, and the gallery they make up."""

import os
import pwd
import shlex
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from functools import lru_cache, partial

from likeness import index
from likeness.app.finders import Finders
from likeness.app.home_notes import HomeNotes, RowsHere
from likeness.app.installation import Installation, Workload
from likeness.config import PREFIX, Settings
from likeness.errors import InvalidRequest, NotFound
from likeness.gallery import Collection, Collections, Gallery, KeptElsewhere, MakeIndex
from likeness.ledger import AnchorFiles, Ledger
from likeness.policy import ChosenPack, RulesInForce, enabled_packs, require_known, shipped
from likeness.reachable import read_networks
from likeness.secrets import CommandKeys, KeyFiles, Keyring, KeySource, TextKeys
from likeness.service.enrol.review import ReviewOfEnrolments
from likeness.service.govern.cohorts import even_older_scores_out
from likeness.service.govern.ledger import made_on_record
from likeness.service.govern.secrets import sealed_by_key
from likeness.service.uses import Desk, Home, Rows, TemplatesOf, Withholding
from likeness.service.uses.forget import FORGOTTEN_FROM, left_of
from likeness.service.watch.watches import WatchInForce
from likeness.storage import (
    Database,
    Freshness,
    SqliteFile,
    current,
    migrate,
    open_database,
    read_address,
    read_identity,
)
from likeness.terms import UNDECLARED, Calibration, Principal, Role, Use
from likeness.vision.cohorts.cohort import Cohort
from likeness.vision.find import FaceFinder

LoadFinder = Callable[[Collection | None], FaceFinder]
"""Gives the finder of a collection's model; of new collections' where none is given."""

now = partial(datetime.now, UTC)


@contextmanager
def open_rows(
    installation: Installation,
    load_finder: LoadFinder | None = None,
    *,
    makes_home: bool = True,
    without_lost_keys: bool = False,
) -> Iterator[Rows]:
    """Open the database and the keys of an installation; a first start makes them.

    For what is to work while a server runs: any number of processes may have them. Without
    `load_finder`, finders are loaded on first use, of weights that are here. What only looks at a
    home, or takes something from it, never `makes_home`. What goes on `without_lost_keys` makes
    others where those of the home are gone; what they sealed stays lost.

    Raises:
        Conflict: another program holds the database, or it is of a newer one.
        DatabaseUnavailable: the database cannot be read and written, or is gone.
        KeyUnusable: the keys cannot be had, are not kept secret, or are not this home's.
        NotFound: there is no home yet, and none is to be made.
        InvalidRequest: the database's URL is none, `LIKENESS_WEBHOOK_NETWORKS` or
            `LIKENESS_SOURCE_NETWORKS` holds something that is no network, rules do not know what
            somebody at the command line declares, or a home is to be made at a relative path.
    """
    settings, standards = installation.settings, installation.standards
    somebody = somebody_here(settings)
    webhook_networks = read_networks(settings.webhook_networks)
    source_networks = read_networks(settings.source_networks)
    with _database_of(settings, makes_home=makes_home, without_lost_keys=without_lost_keys) as (
        database,
        keyring,
    ):
        freshness = Freshness(database)
        ledger = Ledger(
            database, keyring, anchors=anchors_of(settings), made_on_record=made_on_record
        )
        withholding = Withholding(
            keyring, settings.crops == "on", timedelta(days=settings.case_days)
        )
        collections = Collections(database, keyring, standards.cohort_of, Cohort.from_bytes)
        model_of = partial(_model_of, installation, collections)
        rules = RulesInForce(freshness, model_of)
        rows = Rows(
            database=database,
            keyring=keyring,
            ledger=ledger,
            freshness=freshness,
            desk=Desk(database, ledger, rules, withholding),
            collections=collections,
            standards=standards,
            templates_of=partial(_templates_of, installation),
            # What scores of a model and a cohort mean is read once.
            calibration_of=lru_cache(partial(_calibration_of, installation)),
            load_finder=load_finder or Finders(installation, Workload.MANY, fetches=False).of,
            model_of=model_of,
            limits=installation.limits,
            keeps_crops=settings.crops == "on",
            scores_hidden=settings.review_scores == "hidden",
            webhook_networks=webhook_networks,
            source_networks=source_networks,
            somebody=somebody,
            clock=now,
            fmr=settings.fmr,
            fpir=settings.fpir,
            warn_from=settings.group_fmr_warning,
            contact=settings.contact or None,
        )
        even_older_scores_out(rows)
        yield rows


@contextmanager
def _database_of(
    settings: Settings, *, makes_home: bool, without_lost_keys: bool
) -> Iterator[tuple[Database, Keyring]]:
    """Open the database and the keys of a home, which both have to be those that it had."""
    notes, url, rows = HomeNotes(settings.home), database_url(settings), rows_here(settings)
    if not _may_be_there(url):
        notes.require_none_lost(rows, makes=makes_home)
    with open_database(url) as database:
        if current(database) is None:
            notes.require_none_lost(rows, makes=makes_home)
        else:  # before anything of it is changed
            notes.require_same_database(database.read(read_identity), rows)
        migrate(database)
        identity = database.read(read_identity)
        used = _unknown_keys_in_use(settings, notes, database)
        if used is not None and not without_lost_keys:
            notes.require_keys(keys_setting(settings), *used)
        keyring = Keyring(key_source(settings))
        # Where some are lost, and nobody remembers where they came from, that stays to be said.
        if used is None or without_lost_keys or not used[1] - used[0]:
            notes.keep(identity, rows, keys_setting(settings), keyring.key_ids)
        yield database, keyring


def _unknown_keys_in_use(
    settings: Settings, notes: HomeNotes, database: Database
) -> tuple[set[str], set[str]] | None:
    """Give the ids of the keys that are here and of those in use; None where a note has them."""
    note, here = notes.read(), {key.id for key in key_source(settings).load()}
    if note is not None and (note.keys, set(note.key_ids)) == (keys_setting(settings), here):
        return None
    return here, set().union(*database.read(sealed_by_key))


@contextmanager
def open_home(
    installation: Installation, load_finder: LoadFinder | None = None, *, makes_home: bool = True
) -> Iterator[Home]:
    """Open the home of an installation with its gallery, which one process at a time has.

    When it is closed, what makes the next start fast is written.

    Raises:
        HomeInUse: another process has it open.
        InvalidRequest: a setting of the index is not as it must be; and what `open_rows` raises.
    """
    settings, standards = installation.settings, installation.standards
    with (
        open_rows(installation, load_finder, makes_home=makes_home) as rows,
        closing(
            Gallery(
                rows.database,
                rows.keyring,
                standards.cohort_of,
                Cohort.from_bytes,
                make_index=_make_index(settings),
                snapshots=settings.home / "snapshots",
                kept_elsewhere=KeptElsewhere(FORGOTTEN_FROM, left_of),
            )
        ) as gallery,
    ):
        reviewing = ReviewOfEnrolments(
            rows.keyring,
            rows.keeps_crops,
            settings.fmr,
            timedelta(days=settings.case_days),
            rows.calibration_of,
            WatchInForce(rows.keyring, rows.desk.rules, rows.somebody).owed_of,
            settings.fpir,
        )
        parts = rows.parts() | {"collections": gallery}
        yield Home(**parts, gallery=gallery, reviewing=reviewing)


def _templates_of(installation: Installation, recogniser: str | None = None) -> TemplatesOf:
    model = installation.template_model(recogniser)
    version = installation.standards.cohort(model.name).version
    return TemplatesOf(model.name, model.dimensions, version)


def _model_of(installation: Installation, collections: Collections, use: Use) -> str:
    """Name the model that a use works with: its collection's, else the one that the settings name.

    Of a collection that is gone, or not made yet, nobody can say.
    """
    if use.model is not None:
        return use.model
    collection_id = use.collection_id
    if collection_id is None:
        return installation.model
    try:
        return collections.database.read(
            lambda connection: collections.of_id(connection, collection_id)
        ).model
    except NotFound:
        return ""


def _calibration_of(installation: Installation, collection: Collection | None) -> Calibration:
    """Find what scores mean; raises NotFound where nobody has measured that."""
    if collection is not None and (kept := collection.kept_cohort()) is not None:
        return installation.standards.with_groups(kept.calibration)
    of = collection or _templates_of(installation)
    return installation.standards.calibration(of.model, of.cohort_version)


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


def enabled_here(installation: Installation) -> list[ChosenPack]:
    """Give the packs that are enabled in a home; where there is none yet, all that are shipped.

    No home is made. One of an older Likeness is brought up to date, as by whatever opens its rows.

    Raises:
        InvalidRequest: an enabled pack cannot be read; and what `open_rows` raises.
    """
    if _is_there(installation.settings):
        with open_rows(installation) as rows:
            return [one.chosen for one in rows.database.read(enabled_packs)]
    return [ChosenPack.of(pack, {}) for pack in shipped().values() if not pack.facts.always]


def _is_there(settings: Settings) -> bool:
    """Say whether a home has a database with a schema, be it an older one."""
    url = database_url(settings)
    if not _may_be_there(url):
        return False  # to open it would make it
    with open_database(url) as database:
        return current(database) is not None


def _may_be_there(url: str) -> bool:
    """Say whether a database can be looked into without making it."""
    address = read_address(url)
    return not isinstance(address, SqliteFile) or address.path.exists()


def rows_here(settings: Settings) -> RowsHere:
    """Say which database the settings name, in words without secrets."""
    address = read_address(database_url(settings))
    given = settings.database.get_secret_value()
    is_of_home = isinstance(address, SqliteFile) and not given
    return RowsHere(str(address), "" if is_of_home else str(address))


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


def keys_setting(settings: Settings) -> str:
    """Name the setting that keys come from, empty where they are files in the home."""
    if settings.keys.get_secret_value():
        return f"{PREFIX}KEYS"
    return f"{PREFIX}KEYS_COMMAND" if settings.keys_command else ""


def anchors_of(settings: Settings) -> AnchorFiles:
    """Say where a home keeps what it knows of its ledger outside of the database."""
    address, home = read_address(database_url(settings)), settings.home.absolute()
    # A home that is moved takes its database along.
    name = str(address)
    if isinstance(address, SqliteFile) and address.path.is_relative_to(home):
        name = str(address.path.relative_to(home))
    return AnchorFiles(settings.home / "ledger", name)


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
