"""Looks at all that finding, comparing and keeping faces needs: what is here, and what is missing.

Nothing is fetched, written or made: a home that is not there yet is left so, and one that is open
stays with whoever has it open.
"""

import os
import platform
import shlex
import shutil
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from importlib.util import find_spec
from itertools import starmap
from pathlib import Path

from likeness import __version__
from likeness.app.home import anchors_of, database_url, key_source, keys_setting, rows_here
from likeness.app.home_notes import HomeNotes
from likeness.app.installation import Installation, Workload
from likeness.errors import LedgerBroken, LikenessError, NotFound
from likeness.gallery import Collections, models_in_use
from likeness.ledger import Outside, origin_of
from likeness.secrets import Keyring
from likeness.service.govern.damage import look_for_damage
from likeness.service.govern.health import Finding, findings_of_damage
from likeness.service.govern.ledger import verify_rows
from likeness.service.govern.secrets import sealed_by_key
from likeness.storage import (
    Database,
    SqliteFile,
    current,
    head,
    open_database,
    problems_of,
    read_address,
    read_identity,
)
from likeness.terms import Calibration
from likeness.vision.cohorts.cohort import Cohort
from likeness.vision.models.cards import ModelCard
from likeness.vision.models.template_model import recogniser_of
from likeness.vision.networks.openvino_engine import OpenVinoEngine
from likeness.vision.networks.session import Precision

_MOST_LOOKED_AT = 100_000
_LITTLE_BYTES = 1 << 30
# Each with its module, its package, and what is so with it and without it.
_EXTRAS = (
    ("heic", "pillow_heif", "pillow-heif", "HEIC pictures are read", "HEIC pictures are not read"),
    ("video", "av", "av", "clips are read", "clips are not read"),
    ("postgres", "psycopg", "psycopg[binary]", "PostgreSQL can be the database", "not needed"),
    ("milvus", "pymilvus", "pymilvus", "Milvus can be the index", "not needed"),
    ("onnxruntime", "onnxruntime", "onnxruntime", "that engine can be chosen", "not needed"),
)


def examine(installation: Installation) -> list[Finding]:
    """Look at everything that finding, comparing and keeping faces needs."""
    return [
        Finding(
            "Likeness",
            f"{__version__} on Python {platform.python_version()},"
            f" {platform.system()} {platform.machine()}",
        ),
        *_tried("processor", _processor, "make install"),
        *_tried(
            "engine",
            partial(_engine, installation),
            "unset LIKENESS_ENGINE LIKENESS_PRECISION",
        ),
        *(
            finding
            for card in (installation.detector, installation.recogniser)
            for finding in _tried(f"{card.task} {card.name}", partial(_model, installation, card))
        ),
        *_choice(installation),
        *_standards(installation),
        _folder("home folder", installation.settings.home, "LIKENESS_HOME"),
        _disk(installation.settings.home),
        *_tried("database", partial(_database, installation)),
        _index(installation),
        _folder("cache folder", installation.settings.cache, "LIKENESS_CACHE"),
        *starmap(_extra, _EXTRAS),
    ]


def glance(installation: Installation) -> list[Finding]:
    """Look at what is quickly seen: nothing is computed, and no file is read but small ones."""
    return [
        Finding("Likeness", f"{__version__} on Python {platform.python_version()}"),
        *(
            finding
            for card in (installation.detector, installation.recogniser)
            for finding in _tried(f"{card.task} {card.name}", partial(_files, installation, card))
        ),
        *_choice(installation),
        *_standards(installation),
        _index(installation),
        _disk(installation.settings.home),
    ]


def _tried(
    subject: str, look: Callable[[], Iterator[Finding]], mend: str | None = None
) -> Iterator[Finding]:
    """Give what a look finds; where it fails, that."""
    try:
        yield from look()
    except LikenessError as error:
        yield Finding(subject, str(error), well=False, mend=mend)


def _processor() -> Iterator[Finding]:
    engine = OpenVinoEngine(Precision.AUTO)
    yield Finding("processor", f"{engine.processor}, {os.cpu_count()} threads")
    yield Finding("capabilities", " ".join(engine.capabilities))


def _engine(installation: Installation) -> Iterator[Finding]:
    engine, chosen = installation.engine(Workload.ONE), installation.settings.precision
    state = f"{engine.name}, computing in {engine.precision} ({chosen} was chosen)"
    yield Finding("engine", state)


def _model(installation: Installation, card: ModelCard) -> Iterator[Finding]:
    subject, name = f"{card.task} {card.name}", card.name
    licence = f"weights {card.licences.weights} ({card.licences.weights_class})"
    here = installation.models.has_weights(name)
    if card.needs_acceptance and not installation.models.acceptance(name):
        mend = f"likeness models accept {name}"
        yield Finding(subject, f"{licence}, not accepted", well=False, mend=mend)
    elif not here:
        mend = f"likeness models pull {name}"
        yield Finding(subject, f"{licence}, not fetched", well=False, mend=mend)
    else:
        yield Finding(subject, f"fetched and verified, {licence}")


def _files(installation: Installation, card: ModelCard) -> Iterator[Finding]:
    """Say whether the files of a model are here, without a look at their bytes."""
    subject = f"{card.task} {card.name}"
    licence = f"weights {card.licences.weights} ({card.licences.weights_class})"
    if installation.models.missing(card):
        mend = f"likeness models pull {card.name}"
        yield Finding(subject, f"{licence}, files are missing", well=False, mend=mend)
    else:
        yield Finding(subject, f"here, {licence}")


def _choice(installation: Installation) -> Iterator[Finding]:
    if installation.choice.drawback:
        yield Finding(
            "better recogniser", installation.choice.drawback, mend="likeness models pull"
        )
    if installation.sources.folder is not None:
        yield Finding("artifacts folder", f"{installation.sources.folder}, looked in first")


def _standards(installation: Installation) -> Iterator[Finding]:
    sought, mend = "cohort", "likeness models cohort FOLDER"
    try:
        cohort = installation.standards.cohort(installation.model)
        yield Finding("cohort", cohort.version)
        sought, mend = "calibration", "likeness models calibrate FOLDER"
        calibration = installation.standards.calibration(installation.model, cohort.version)
        yield Finding("calibration", f"measured on {calibration.measured_on}")
        yield _groups(installation, calibration)
    except LikenessError as error:
        yield Finding(sought, str(error), well=False, mend=mend)


def _groups(installation: Installation, calibration: Calibration) -> Finding:
    """Say how often strangers of groups match at the threshold of 1:1 comparisons."""
    settings, groups = installation.settings, calibration.groups
    if not groups:
        state = "nobody measured how often strangers of one group match, so no answer warns"
        mend = "likeness models calibrate MANIFEST --group COLUMN"
        return Finding("groups", state, mend=mend)
    warning = calibration.group_warning(calibration.point(settings.fmr), settings.group_fmr_warning)
    if warning is not None:
        return Finding("groups", warning.in_words)
    if not settings.group_fmr_warning:
        return Finding("groups", "LIKENESS_GROUP_FMR_WARNING is 0, so no answer warns")
    state = f"none of {len(groups)} matches {settings.group_fmr_warning:g} times as often as asked"
    return Finding("groups", state)


def _folder(subject: str, folder: Path, variable: str) -> Finding:
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    if not (existing.is_dir() and os.access(existing, os.W_OK | os.X_OK)):
        mend = f"export {variable}=/a/folder/of/yours"
        return Finding(subject, f"{folder} cannot be written", well=False, mend=mend)
    if existing != folder:
        return Finding(subject, f"{folder}, made when it is needed")
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    return Finding(subject, f"{folder}, {size / 1e6:.0f} MB")


def _disk(folder: Path) -> Finding:
    """Say how much room is left for a home."""
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    disk = shutil.disk_usage(existing)
    state = f"{disk.free / 1e9:.1f} of {disk.total / 1e9:.1f} GB free for {folder}"
    if disk.free >= _LITTLE_BYTES:
        return Finding("disk", state)
    return Finding("disk", state, well=False, mend="make room, or move the home to a larger disk")


def _extra(name: str, module: str, package: str, with_it: str, without: str) -> Finding:
    if find_spec(module):
        return Finding(f"extra {name}", f"installed: {with_it}")
    # Its own package is named: what registries call `likeness` is somebody else's.
    mend = shlex.join([sys.executable, "-m", "pip", "install", package])
    return Finding(f"extra {name}", f"not installed: {without}", mend=mend)


def _database(installation: Installation) -> Iterator[Finding]:
    settings = installation.settings
    url, notes, rows = database_url(settings), HomeNotes(settings.home), rows_here(settings)
    address = read_address(url)
    if isinstance(address, SqliteFile) and not address.path.exists():
        if lost := notes.loss(rows):
            yield Finding("database", lost, well=False)
            return
        yield Finding("database", f"{address}, made when it is needed")
        yield from _tried("keys", partial(_keys, installation, Counter()))
        return
    if isinstance(address, SqliteFile) and address.path.stat().st_mode & 0o077:
        yield Finding(
            "database file",
            f"{address} can be opened by others than its owner",
            well=False,
            mend=f"chmod 600 {shlex.quote(str(address))}*",
        )
    with open_database(url) as database:
        schema = current(database)
        if schema is None and (lost := notes.loss(rows)):
            yield Finding("database", lost, well=False)
            return
        yield _schema(database, schema)
        yield from _tried("database", partial(_integrity, database))
        if schema == head():
            notes.require_same_database(database.read(read_identity), rows)
            of_collections, others = database.read(sealed_by_key)
            yield from _tried("keys", partial(_keys, installation, of_collections + others))
            yield from _tried("ledger", partial(_ledger, installation, database))
            yield from _tried("rows", partial(_rows, installation, database))
            models = database.read(models_in_use)
            yield Finding("collections", str(len(models)))
            for name, model in models.items():
                yield _collection(installation, name, model)


def _integrity(database: Database) -> Iterator[Finding]:
    """Ask the database's engine whether all is as it wrote it."""
    found = problems_of(database)
    if found is None:
        state = "not asked: PostgreSQL's extension amcheck, which looks, is not there"
        yield Finding("database's own check", state, mend="CREATE EXTENSION amcheck")
    elif found:
        for said in found:
            yield Finding("database's own check", said, well=False, mend="restore a backup")
    else:
        yield Finding("database's own check", "nothing is damaged")


def _rows(installation: Installation, database: Database) -> Iterator[Finding]:
    """Read what lists and searches read, and name the rows that cannot be."""
    source, standards = key_source(installation.settings), installation.standards
    if not source.load():
        return
    keyring = Keyring(source)
    collections = Collections(database, keyring, standards.cohort_of, Cohort.from_bytes)
    looked = look_for_damage(collections, keyring, datetime.now(UTC), _MOST_LOOKED_AT)
    yield from findings_of_damage(looked.rows)
    for said in looked.collections:
        yield Finding("collection", said, well=False, mend="restore a backup")
    if not looked.rows and not looked.collections:
        those = "the first " if not looked.whole else ""
        references = f"reference{'' if looked.references == 1 else 's'}"
        counted = f"{those}{looked.references} {references}"
        yield Finding("rows", f"every row can be read ({counted} looked at)")


def _ledger(installation: Installation, database: Database) -> Iterator[Finding]:
    """Verify the ledger; all of it, unless that would take long."""
    source = key_source(installation.settings)
    if not source.load():
        return  # nothing is made here, and without keys nothing was recorded that could be opened
    keyring, anchors = Keyring(source), anchors_of(installation.settings)
    origin = origin_of(database.read(read_identity))
    anchor, problem = None, None
    try:
        anchor = anchors.find(origin)
    except LedgerBroken as error:
        problem = str(error).rstrip(".")
    outside = Outside(anchor=anchor, anchor_problem=problem)
    found = database.read(partial(verify_rows, keyring=keyring, outside=outside))
    for one in found.problems:
        where = f"entry {one.entry}: " if one.entry is not None else ""
        where = where or (f"table {one.table}: " if one.table else "")
        mend = "restore a backup; `likeness ledger verify` says more"
        yield Finding("ledger", f"{where}{one.says}", well=False, mend=mend)
    if found.holds:
        yield Finding("ledger", f"all {found.size:,} entries are as they were signed")


def _schema(database: Database, schema: str | None) -> Finding:
    state = f"{database.address}, schema {schema or 'none'}"
    if schema == head():
        return Finding("database", state)
    if schema is None or schema < head():
        return Finding("database", f"{state}, brought to {head()} when it is opened next")
    newer = f"{state}, of a newer Likeness than this one, which knows {head()}. Run that one."
    return Finding("database", newer, well=False)


def _index(installation: Installation) -> Finding:
    settings = installation.settings
    if settings.index == "milvus":
        return Finding(
            "index",
            f"milvus at {settings.milvus}: vectors lie there in the clear, and their encryption on"
            " disk is its operator's",
        )
    return Finding("index", f"{settings.index}, in this process")


def _keys(installation: Installation, secrets_by_key: Counter[str]) -> Iterator[Finding]:
    settings = installation.settings
    key_ids = [key.id for key in key_source(settings).load()]
    notes = HomeNotes(settings.home)
    if missing := notes.missing_keys(keys_setting(settings), key_ids, secrets_by_key):
        yield Finding("keys", missing, well=False)
    lost = sum(count for key_id, count in secrets_by_key.items() if key_id not in key_ids)
    if lost:
        state = (
            f"{lost} secret{'' if lost == 1 else 's'}, such as a collection's key, sealed by a key"
            " that is not here. Restore it from a backup."
        )
        yield Finding("keys", state, well=False)
    elif not key_ids:
        yield Finding("keys", "none yet, made when they are needed")
    elif len(key_ids) == 1:
        yield Finding("keys", f"{key_ids[0]} seals, kept private")
    else:
        state = f"{key_ids[0]} seals, {', '.join(key_ids[1:])} only open"
        yield Finding("keys", state, mend="likeness secrets rotate")


def _collection(installation: Installation, collection: str, model_name: str) -> Finding:
    """Say whether a collection can be searched and enrolled into here, or how to mend it."""
    subject, name = f"collection {collection}", shlex.quote(collection)
    of = f"of {recogniser_of(model_name)}"
    re_embed = f"likeness collections re-embed {name} --to {installation.recogniser.name}"
    try:
        model = installation.known_model(model_name)
        if model is None:
            state = f"of {model_name}, which is not known here"
            return Finding(subject, state, well=False, mend=re_embed)
        missing = installation.missing_part(model)
        if missing is not None:
            state = f"{of}: {missing.what}"
            return Finding(subject, state, well=False, mend=missing.command)
        installation.standards.cohort(model.name)
    except NotFound as error:
        mend = (
            "likeness models cohort FOLDER" if model == installation.template_model() else re_embed
        )
        return Finding(subject, f"{of}: {error}", well=False, mend=mend)
    except LikenessError as error:
        return Finding(subject, f"{of}: {error}", well=False)
    return Finding(subject, f"{of}, which is here")
