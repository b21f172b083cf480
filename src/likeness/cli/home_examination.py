"""What `likeness doctor` looks at in a home: database, index, keys, collections.

Nothing is made: a home that is not there yet is left so, and one that is open stays with whoever
has it open.
"""

import shlex
from collections import Counter
from collections.abc import Iterator

from likeness.app import Installation
from likeness.app.access import database_url, key_source
from likeness.cli.finding import Finding
from likeness.cli.terminal.plain_text import plain
from likeness.cli.terminal.words import several
from likeness.errors import LikenessError, NotFound
from likeness.gallery import counts_by_key, models_in_use
from likeness.service.govern.rotate_keys import other_secrets_by_key
from likeness.storage import Database, SqliteFile, current, head, open_database, read_address
from likeness.vision.models.template_model import recogniser_of


def examine_home(settled: Installation) -> list[Finding]:
    """Look at everything that collections need."""
    return [*_database(settled), _index(settled)]


def _database(settled: Installation) -> Iterator[Finding]:
    url = database_url(settled.settings)
    try:
        address = read_address(url)
        if isinstance(address, SqliteFile) and not address.path.exists():
            yield Finding("database", f"{address}, made when it is needed")
            yield _keys(settled, Counter())
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
            yield _schema(database, schema)
            if schema == head():
                in_use = database.read(counts_by_key)
                yield _keys(settled, in_use + database.read(other_secrets_by_key))
                yield from _collections(settled, database)
    except LikenessError as error:
        yield Finding("database", str(error), well=False)


def _schema(database: Database, schema: str | None) -> Finding:
    state = f"{database.address}, schema {schema or 'none'}"
    if schema == head():
        return Finding("database", state)
    if schema is None or schema < head():
        return Finding("database", f"{state}, brought to {head()} when it is opened next")
    return Finding(
        "database",
        f"{state}, of a newer Likeness than this one, which knows {head()}: run that one",
        well=False,
    )


def _index(settled: Installation) -> Finding:
    settings = settled.settings
    if settings.index == "milvus":
        return Finding(
            "index",
            f"milvus at {settings.milvus}: vectors lie there in the clear, and their encryption on"
            " disk is its operator's",
        )
    return Finding("index", f"{settings.index}, in this process")


def _keys(settled: Installation, secrets_by_key: Counter[str]) -> Finding:
    try:
        key_ids = [key.id for key in key_source(settled.settings).load()]
    except LikenessError as error:
        return Finding("keys", str(error), well=False)
    lost = sum(count for key_id, count in secrets_by_key.items() if key_id not in key_ids)
    if lost:
        return Finding(
            "keys",
            f"{several(lost, 'secret')}, such as a collection's key, sealed by a key that is not"
            " here: restore it from a backup",
            well=False,
        )
    if not key_ids:
        return Finding("keys", "none yet, made when they are needed")
    if len(key_ids) > 1:
        return Finding(
            "keys",
            f"{key_ids[0]} seals, {', '.join(key_ids[1:])} only open",
            mend="likeness secrets rotate",
        )
    return Finding("keys", f"{key_ids[0]} seals, kept private")


def _collections(settled: Installation, database: Database) -> Iterator[Finding]:
    models = database.read(models_in_use)
    yield Finding("collections", str(len(models)))
    for name, model in models.items():
        yield _collection(settled, name, model)


def _collection(settled: Installation, collection: str, model_name: str) -> Finding:
    """Say whether a collection can be searched and enrolled into here, or how to mend it."""
    subject, name = f"collection {plain(collection)}", shlex.quote(collection)
    recogniser = plain(recogniser_of(model_name))
    re_embed = f"likeness collections re-embed {name} --to {settled.recogniser.name}"
    try:
        model = settled.known_model(model_name)
        if model is None:
            state = f"of {plain(model_name)}, which is not known here"
            return Finding(subject, state, well=False, mend=re_embed)
        missing = settled.missing_part(model)
        if missing is not None:
            state = f"of {recogniser}: {missing.what}"
            return Finding(subject, state, well=False, mend=missing.command)
        settled.standards.cohort(model.name)
    except NotFound as error:
        mend = "likeness models cohort FOLDER" if model == settled.template_model() else re_embed
        return Finding(subject, f"of {recogniser}: {error}", well=False, mend=mend)
    except LikenessError as error:
        return Finding(subject, f"of {recogniser}: {error}", well=False)
    return Finding(subject, f"of {recogniser}, which is here")
