"""A CompreFace as far as its tables go, in a database and as a dump of it."""

from pathlib import Path
from uuid import UUID, uuid4

SCHEMA = """
    CREATE TABLE app (id bigint PRIMARY KEY, name varchar(50), guid varchar(36),
        api_key varchar(36));
    CREATE TABLE model (id bigint PRIMARY KEY, name varchar(50), guid varchar(36), app_id bigint,
        api_key varchar(36), type varchar(1), created_date timestamp);
    CREATE TABLE subject (id uuid PRIMARY KEY, api_key varchar(36), subject_name varchar(255),
        UNIQUE (api_key, subject_name));
    CREATE TABLE img (id uuid PRIMARY KEY, content bytea NOT NULL);
    CREATE TABLE embedding (id uuid PRIMARY KEY, subject_id uuid REFERENCES subject,
        embedding float8[] NOT NULL, calculator varchar(255) NOT NULL, img_id uuid REFERENCES img);
"""
KEYS = {name: f"0000000{n}-0000-0000-0000-000000000000" for n, name in enumerate(("door", "gate"))}


def make(url: str) -> None:
    """Make the tables, with an application and its two recognition services."""
    import psycopg

    with psycopg.connect(url) as connection:
        connection.execute(SCHEMA)
        connection.execute(
            r"INSERT INTO app VALUES (1, E'COPY public.subject (id) FROM stdin;\n\\.', 'a', 'b')"
        )
        for number, (name, key) in enumerate(KEYS.items()):
            connection.execute(
                "INSERT INTO model VALUES (%s, %s, %s, 1, %s, 'R', now())", (number, name, key, key)
            )


def add(url: str, subject: str, picture: bytes | None, service: str = "door") -> UUID:
    """Add an example of a subject, and give its image id."""
    import psycopg

    img_id, example_id = uuid4(), uuid4()
    with psycopg.connect(url) as connection:
        connection.execute(
            "INSERT INTO subject VALUES (%s, %s, %s) ON CONFLICT DO NOTHING",
            (uuid4(), KEYS[service], subject),
        )
        if picture is not None:
            connection.execute("INSERT INTO img VALUES (%s, %s)", (img_id, picture))
        connection.execute(
            "INSERT INTO embedding SELECT %s, id, %s, 'facenet', %s FROM subject"
            " WHERE api_key = %s AND subject_name = %s",
            (
                example_id,
                [0.5] * 512,
                None if picture is None else img_id,
                KEYS[service],
                subject,
            ),
        )
    return example_id


def dump(url: str, path: Path, *options: str) -> Path:
    """Dump the database as its operator would."""
    import subprocess

    programs = sorted(
        Path("/usr/lib/postgresql").glob("*/bin"), key=lambda folder: int(folder.parent.name)
    )
    subprocess.run([programs[-1] / "pg_dump", f"--file={path}", *options, url], check=True)
    return path
