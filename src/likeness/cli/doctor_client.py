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

from botocore.configloader import load_config
from botocore.exceptions import ConfigNotFound, ConfigParseError

OWN, ALL, IGNORED = (
    "AWS_ENDPOINT_URL_REKOGNITION",
    "AWS_ENDPOINT_URL",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
)
FILE, PROFILE = "AWS_CONFIG_FILE", "AWS_PROFILE"
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
    """Say where variables and the AWS configuration file send clients that read them.

    The order is that of AWS's SDKs: the variable of Rekognition, that of all services, and then the
    file's profile (https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html).
    """
    if environment.get(IGNORED, "").lower() == "true":
        return Endpoint(None, f"{IGNORED} is true, so every other variable is ignored")
    for name in (OWN, ALL):
        if given := environment.get(name):
            return _read(given, name)
    file = environment.get(FILE) or "~/.aws/config"
    try:
        sections = load_config(file)
    except ConfigNotFound:
        return Endpoint(None, f"{OWN} is not set")
    except ConfigParseError:
        return Endpoint(None, f"{OWN} is not set, and {file} cannot be read")
    name = environment.get(PROFILE) or "default"
    profile = sections["profiles"].get(name, {})
    if str(profile.get("ignore_configured_endpoint_urls", "")).lower() == "true":
        return Endpoint(None, f"profile {name} of {file} ignores configured endpoints")
    of_service = sections.get("services", {}).get(profile.get("services"), {}).get("rekognition")
    of_service = of_service if isinstance(of_service, dict) else {}
    given = of_service.get("endpoint_url") or profile.get("endpoint_url")
    if not given:
        return Endpoint(None, f"{OWN} is not set, and profile {name} of {file} names no endpoint")
    return _read(str(given), f"profile {name} of {file}")


def _read(given: str, source: str) -> Endpoint:
    """Read an endpoint's address, which `source` gave."""
    try:
        place = urlsplit(given)
        host = (place.hostname or "").rstrip(".")
    except ValueError:
        return Endpoint(None, f"{source} has no address")
    if place.scheme not in ("http", "https") or not host:
        return Endpoint(None, f"{source} has no address that begins with http:// or https://")
    if host.endswith(_AMAZON):
        return Endpoint(None, f"{source} names {host}, which is Amazon's")
    # A user and a password are nobody's to print.
    return Endpoint(f"{place.scheme}://{place.netloc.rpartition('@')[2]}", f"by {source}")


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
