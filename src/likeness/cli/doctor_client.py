"""Whether the clients of this machine come here: which of them read the variable of the endpoint.

Nothing of a client is run but `aws --version`: the others are known by what package managers wrote.
Versions are those that AWS announced; where none is known for certain, that is said.
"""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

OWN, ALL, IGNORED = (
    "AWS_ENDPOINT_URL_REKOGNITION",
    "AWS_ENDPOINT_URL",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
)
IN_CODE = "pass the endpoint in code, such as endpoint_url= of boto3.client"
_AMAZON = (".amazonaws.com", ".amazonaws.com.cn", ".api.aws")
_LONGEST_S = 20
_MOST_BYTES = 4 << 20
_BOTOCORE, _CLI_1, _CLI_2 = (1, 31, 0), (1, 29, 0), (2, 13, 0)
# What a project's files name a client, and whether it reads the variable; None: it depends on a
# version that is not known here.
_NAMED = (
    ("go.mod", r"github\.com/aws/aws-sdk-go v", "Go SDK v1", False),
    ("go.mod", r"github\.com/aws/aws-sdk-go-v2 v", "Go SDK v2", None),
    ("pom.xml", r"aws-java-sdk-rekognition", "Java SDK v1", False),
    ("pom.xml", r"software\.amazon\.awssdk", "Java SDK v2", None),
    ("build.gradle", r"aws-java-sdk-rekognition", "Java SDK v1", False),
    ("build.gradle", r"software\.amazon\.awssdk", "Java SDK v2", None),
    ("Gemfile.lock", r"aws-sdk-rekognition", "Ruby SDK", None),
    ("composer.lock", r"aws/aws-sdk-php", "PHP SDK", None),
    ("Cargo.lock", r"aws-sdk-rekognition", "Rust SDK", None),
)


@dataclass(frozen=True, slots=True)
class Client:
    """A client that is installed; `reads` the variable, or not, or nobody knows."""

    name: str
    place: str
    reads: bool | None


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where clients that read the variable go; None: to Amazon. `why` says by which variable."""

    address: str | None
    why: str


def endpoint_of(environment: Mapping[str, str]) -> Endpoint:
    """Say where variables of the environment send clients that read them."""
    if environment.get(IGNORED, "").lower() == "true":
        return Endpoint(None, f"{IGNORED} is true, so every other variable is ignored")
    for name in (OWN, ALL):
        if given := environment.get(name):
            try:
                place = urlsplit(given)
                host = (place.hostname or "").rstrip(".")
            except ValueError:
                return Endpoint(None, f"{name} is no address")
            if place.scheme not in ("http", "https") or not host:
                return Endpoint(None, f"{name} is no address that begins with http:// or https://")
            if host.endswith(_AMAZON):
                return Endpoint(None, f"{name} names {host}, which is Amazon's")
            # A user and a password are nobody's to print.
            return Endpoint(f"{place.scheme}://{place.netloc.rpartition('@')[2]}", f"by {name}")
    return Endpoint(None, f"{OWN} is not set")


def clients_here(folder: Path) -> list[Client]:
    """Find the clients of this machine's programs, and of a project in a folder."""
    found = [*_of_python(folder), *_of_cli(), *_of_node(folder), *_of_project(folder)]
    return list(dict.fromkeys(found))


def _of_python(folder: Path) -> Iterator[Client]:
    named = (shutil.which(name) for name in ("python3", "python"))
    programs = [Path(one) for one in (sys.executable, *named) if one]
    prefixes = {program.parent.parent for program in programs}
    prefixes |= {program.resolve().parent.parent for program in programs}
    for prefix in sorted({*prefixes, folder / ".venv", folder / "venv"}):
        for info in sorted(prefix.glob("lib/python3*/*-packages/botocore-*.dist-info")):
            version = info.name.removeprefix("botocore-").removesuffix(".dist-info")
            reads = _is_from(version, _BOTOCORE)
            yield Client(f"boto3 (botocore {version})", str(info.parent), reads)


def _of_cli() -> Iterator[Client]:
    program = shutil.which("aws")
    if program is None:
        return
    try:
        done = subprocess.run(  # noqa: S603  # the AWS CLI of whoever asks
            [program, "--version"], capture_output=True, text=True, timeout=_LONGEST_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        yield Client("AWS CLI", program, None)
        return
    found = re.match(r"aws-cli/(\S+)", done.stdout or done.stderr)
    if found is None:
        yield Client("AWS CLI", program, None)
        return
    since = _CLI_1 if found[1].startswith("1.") else _CLI_2
    yield Client(f"AWS CLI {found[1]}", program, _is_from(found[1], since))


def _of_node(folder: Path) -> Iterator[Client]:
    places = [folder / "node_modules"]
    if node := shutil.which("node"):
        places.append(Path(node).resolve().parent.parent / "lib/node_modules")
    for place in places:
        # Of version 3 some read it, and of some later ones users report that they do not.
        for package, reads in (("aws-sdk", False), ("@aws-sdk/client-rekognition", None)):
            try:
                version = str(json.loads(_text(place / package / "package.json"))["version"])
            except (OSError, ValueError, KeyError, TypeError):
                continue
            yield Client(f"JavaScript {package} {version}", str(place), reads)


def _of_project(folder: Path) -> Iterator[Client]:
    for name, pattern, client, reads in _NAMED:
        try:
            text = _text(folder / name)
        except OSError:
            continue
        if re.search(pattern, text):
            yield Client(client, str(folder / name), reads)


def _text(path: Path) -> str:
    with path.open(errors="replace") as file:
        return file.read(_MOST_BYTES)


def _is_from(version: str, since: tuple[int, ...]) -> bool:
    """Say whether a version is a given one or later."""
    return tuple(int(part) for part in re.findall(r"\d+", version)[:3]) >= since
