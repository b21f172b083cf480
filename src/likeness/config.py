"""Settings: what an operator may choose, from `LIKENESS_` variables of the environment."""

import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import platformdirs
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError

from likeness.errors import InvalidRequest
from likeness.terms import UNDECLARED, WARN_FROM

PREFIX = "LIKENESS_"
# What Debian calls the home of a user who has none (adduser(8)); nobody may make it.
_NOWHERE = Path("/nonexistent/likeness")


def _own_folder(of_user: Callable[[str], str]) -> Path:
    """Give a folder of this user's; one that is never there where they have no home folder.

    A container's user may have neither a name nor HOME, and may still name the folders itself.
    """
    try:
        folder = Path(of_user("likeness"))
    except RuntimeError:  # newer versions of platformdirs
        return _NOWHERE
    return folder if folder.is_absolute() else _NOWHERE


class Settings(BaseModel):
    """What an operator may choose; every field is a variable `LIKENESS_<NAME>`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    home: Annotated[
        Path,
        Field(
            description="Folder of this installation: its database, keys and snapshots, models"
            " added, licences accepted."
        ),
    ] = _own_folder(platformdirs.user_data_dir)
    cache: Annotated[
        Path, Field(description="Folder of fetched weights and samples, and converted networks.")
    ] = _own_folder(platformdirs.user_cache_dir)
    artifacts: Annotated[
        str,
        Field(
            description="Folder in which weights and samples are looked for first, by the names"
            " that `likeness models bundle` gives them."
        ),
    ] = ""
    publisher: Annotated[
        Literal["asked", "never"],
        Field(
            description="Whether the better recogniser's publisher may be asked for it, by `make"
            " demo`, `likeness models pull` and commands at a terminal."
        ),
    ] = "asked"
    detector: Annotated[str, Field(description="Model that finds faces.")] = "centerface"
    recogniser: Annotated[
        str,
        Field(
            description="Model that makes templates; auto is face-reidentification-retail-0095"
            " where it is here, else dlib-resnet-v1."
        ),
    ] = "auto"
    chips: Annotated[
        Literal["auto", "one", "mirrored", "six"],
        Field(
            description="Chips averaged into a template: more cost time and make fewer errors; auto"
            " is what the recogniser's cohort and calibration are shipped for."
        ),
    ] = "auto"
    detector_side: Annotated[
        int,
        Field(
            ge=64,
            le=4096,
            description="Pixels along the longer side of what the detector is shown, at most; at"
            " 1152 it finds faces of 40 pixels in 1920x1080.",
        ),
    ] = 1152
    detector_threshold: Annotated[
        float, Field(gt=0, lt=1, description="Least score of a face, as the detector gives it.")
    ] = 0.5
    engine: Annotated[
        Literal["openvino", "onnxruntime"], Field(description="What runs the networks.")
    ] = "openvino"
    precision: Annotated[
        Literal["auto", "f32", "bf16"],
        Field(description="Numbers the networks are computed in; auto is bf16 where there is any."),
    ] = "auto"
    threads: Annotated[
        int, Field(ge=0, le=1024, description="Processor threads for the networks; 0 is all.")
    ] = 0
    fmr: Annotated[
        float,
        Field(gt=0, lt=1, description="False match rate at which two faces are called the same."),
    ] = 1e-3
    fnmr: Annotated[
        float,
        Field(
            gt=0,
            lt=1,
            description="Share of pairs of one person that a 1:1 comparison may answer with no; it"
            " refers the others that do not pass to a person.",
        ),
    ] = 1e-3
    fpir: Annotated[
        float,
        Field(
            gt=0,
            lt=1,
            description="Share of searches for a stranger that may name somebody, at most.",
        ),
    ] = 1e-2
    group_fmr_warning: Annotated[
        float,
        Field(
            ge=0,
            description="Answers warn when strangers of a group match so many times as often as was"
            " asked for, or more; 0 never warns.",
        ),
    ] = WARN_FROM
    database: Annotated[
        SecretStr,
        Field(
            description="URL of the database, such as postgresql://user@host/name; a file in"
            " LIKENESS_HOME without."
        ),
    ] = SecretStr("")
    index: Annotated[
        Literal["faiss", "exact", "milvus"],
        Field(description="What finds the most alike among templates of a collection."),
    ] = "faiss"
    milvus: Annotated[
        str, Field(description="Address of the Milvus server, where that is the index.")
    ] = "http://127.0.0.1:19530"
    milvus_token: Annotated[
        SecretStr, Field(description="What Milvus is shown, such as user:password.")
    ] = SecretStr("")
    keys: Annotated[
        SecretStr,
        Field(
            description="The installation's keys, base64 of 32 bytes each, newest first; files in"
            " LIKENESS_HOME without."
        ),
    ] = SecretStr("")
    keys_command: Annotated[
        str, Field(description="Command that prints the installation's keys, as LIKENESS_KEYS.")
    ] = ""
    buckets: Annotated[
        str,
        Field(
            description="Folder whose sub-folders are buckets of pictures; `buckets` in"
            " LIKENESS_HOME without."
        ),
    ] = ""
    s3_endpoint: Annotated[
        str,
        Field(
            description="Address of an S3 endpoint whose buckets are read in place of folders;"
            " nothing is asked without."
        ),
    ] = ""
    s3_region: Annotated[str, Field(description="Region that requests to S3 are signed for.")] = (
        "us-east-1"
    )
    s3_access_key_id: Annotated[
        SecretStr, Field(description="Id of the access key that S3 is shown.")
    ] = SecretStr("")
    s3_secret_access_key: Annotated[
        SecretStr, Field(description="Secret half of the access key that S3 is shown.")
    ] = SecretStr("")
    sns_endpoint: Annotated[
        str,
        Field(
            description="Address of an SNS endpoint whose topics are told of video jobs that have"
            " ended; nothing is told without."
        ),
    ] = ""
    sns_region: Annotated[str, Field(description="Region that requests to SNS are signed for.")] = (
        "us-east-1"
    )
    sns_access_key_id: Annotated[
        SecretStr, Field(description="Id of the access key that SNS is shown.")
    ] = SecretStr("")
    sns_secret_access_key: Annotated[
        SecretStr, Field(description="Secret half of the access key that SNS is shown.")
    ] = SecretStr("")
    kinesis_endpoint: Annotated[
        str,
        Field(
            description="Address of a Kinesis endpoint whose data streams are told of every frame"
            " that a live search looks at; nothing is told without."
        ),
    ] = ""
    kinesis_region: Annotated[
        str, Field(description="Region that requests to Kinesis are signed for.")
    ] = "us-east-1"
    kinesis_access_key_id: Annotated[
        SecretStr, Field(description="Id of the access key that Kinesis is shown.")
    ] = SecretStr("")
    kinesis_secret_access_key: Annotated[
        SecretStr, Field(description="Secret half of the access key that Kinesis is shown.")
    ] = SecretStr("")
    ledger_witness: Annotated[
        str,
        Field(
            description="Command that is given each checkpoint of the ledger on its standard input"
            " and keeps it elsewhere."
        ),
    ] = ""
    organisation: Annotated[
        str, Field(description="For whom somebody at the command line acts.")
    ] = UNDECLARED
    sector: Annotated[
        str, Field(description="What their organisation is, as rules name it, such as police.")
    ] = UNDECLARED
    jurisdiction: Annotated[str, Field(description="Where they act, such as US-WA.")] = UNDECLARED
    purpose: Annotated[str, Field(description="What they act for, such as missing-persons.")] = (
        UNDECLARED
    )
    crops: Annotated[
        Literal["off", "on"],
        Field(
            description="Whether pictures of faces are kept, encrypted, for people to review; off,"
            " what owes review is refused."
        ),
    ] = "off"
    case_days: Annotated[
        int, Field(ge=1, le=366, description="Days after which a review case ends.")
    ] = 30
    contact: Annotated[
        str,
        Field(
            max_length=500,
            description="Who answers people that ask about their data; subject reports say so.",
        ),
    ] = ""
    review_scores: Annotated[
        Literal["shown", "hidden"],
        Field(description="Whether reviewers see similarities before their own verdict."),
    ] = "shown"
    webhook_networks: Annotated[
        str,
        Field(
            description="Networks that webhooks may reach beside public addresses, such as"
            " 10.1.0.0/16, separated by commas."
        ),
    ] = ""
    source_networks: Annotated[
        str,
        Field(
            description="Networks that cameras and streams may be in beside public addresses, such"
            " as 10.2.0.0/16, separated by commas."
        ),
    ] = ""
    max_bytes: Annotated[int, Field(ge=1, description="Bytes that a picture may have.")] = 64 << 20
    max_pixels: Annotated[
        int, Field(ge=1, description="Pixels, width times height, that a picture may have.")
    ] = 100_000_000
    max_side: Annotated[
        int, Field(ge=1, description="Pixels along one side that a picture may have.")
    ] = 30_000
    decode_memory: Annotated[
        int,
        Field(
            ge=16 << 20,
            description="Bytes of memory that all pictures share while they are decoded and their"
            " pixels used; a picture that finds too little waits, one that needs more is refused.",
        ),
    ] = 1 << 30
    key_rate: Annotated[
        float,
        Field(ge=0, description="Requests a second that one access key may make; 0 is no limit."),
    ] = 0.0
    allowed_origins: Annotated[
        str,
        Field(
            description="Origins whose web pages may ask the server from a browser, such as"
            " https://app.example, separated by commas."
        ),
    ] = ""
    metrics_token: Annotated[
        SecretStr,
        Field(
            description="Bearer token that who reads /metrics has to show; without, this machine"
            " alone reads them."
        ),
    ] = SecretStr("")


def read_settings(**chosen: object) -> Settings:
    """Read the environment; what is chosen here goes before it.

    Raises:
        InvalidRequest: a value is not as it must be, or a `LIKENESS_` variable is none of ours.
    """
    try:
        return Settings(**{**_environment(), **chosen})  # type: ignore[arg-type]  # pydantic checks
    except ValidationError as error:
        first = error.errors()[0]
        variable = f"{PREFIX}{first['loc'][0]}".upper()
        if first["type"] == "extra_forbidden":
            raise InvalidRequest(
                f"There is no setting {variable}. Correct its name; `likeness config show` lists"
                " them."
            ) from error
        name = str(first["loc"][0])
        where = f"--{name.replace('_', '-')}" if name in chosen else f"setting {variable}"
        allowed = _allowed(Settings.model_json_schema()["properties"][name])
        given = str(chosen.get(name, first["input"]))
        raise InvalidRequest(f"{where} cannot be {given!r}. Give {allowed}.") from error


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting as it stands: its variable, its value, where that comes from, what it may be."""

    name: str
    variable: str
    value: str
    source: Literal["default", "environment"]
    allowed: str
    description: str


def describe_settings() -> list[Setting]:
    """Say of every setting how it stands, even where a value is not as it must be."""
    environment = _environment()
    schema = Settings.model_json_schema()["properties"]
    return [
        Setting(
            name=name,
            variable=f"{PREFIX}{name}".upper(),
            value=_shown(environment.get(name, str(field.default)), field.annotation),
            source="environment" if name in environment else "default",
            allowed=_allowed(schema[name]),
            description=field.description or "",
        )
        for name, field in Settings.model_fields.items()
    ]


def _shown(value: str, kind: object) -> str:
    """Keep a secret to itself, and who an address says to be."""
    if kind is SecretStr:
        return str(SecretStr(value))
    return re.sub("(?<=://).*@", f"{SecretStr(value)}@", value)


def _allowed(schema: dict[str, Any]) -> str:
    """Put a field's JSON schema into words."""
    if "enum" in schema:
        return ", ".join(schema["enum"])
    if schema.get("format") == "path":
        return "a folder"
    if schema.get("format") == "password":
        return "a secret, shown to nobody"
    if schema["type"] == "string":
        return "a text"
    kind = "a whole number" if schema["type"] == "integer" else "a number"
    limits = {
        "minimum": "at least",
        "exclusiveMinimum": "above",
        "maximum": "at most",
        "exclusiveMaximum": "below",
    }
    said = [f"{words} {schema[key]:g}" for key, words in limits.items() if key in schema]
    return ", ".join([kind, *said])


def _environment() -> dict[str, str]:
    """What the environment sets, by field; an empty variable counts as unset."""
    return {
        name.removeprefix(PREFIX).lower(): value
        for name, value in os.environ.items()
        if name.startswith(PREFIX) and value
    }
