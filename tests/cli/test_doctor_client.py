"""`likeness doctor --client`: which clients come here, and which go to Amazon."""

import json
from pathlib import Path

import pytest

from likeness.cli.doctor_client import Client, Endpoint, clients_here, endpoint_of

HERE = "http://127.0.0.1:8020"
NO_FILE = {"AWS_CONFIG_FILE": "/nowhere/config"}


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, None),
        ({"AWS_ENDPOINT_URL_REKOGNITION": HERE}, HERE),
        ({"AWS_ENDPOINT_URL": HERE}, HERE),
        ({"AWS_ENDPOINT_URL_REKOGNITION": HERE, "AWS_ENDPOINT_URL": "http://other"}, HERE),
        (
            {"AWS_ENDPOINT_URL_REKOGNITION": "https://me:secret@faces.example/x"},
            "https://faces.example",
        ),
        (
            {
                "AWS_ENDPOINT_URL_REKOGNITION": HERE,
                "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true",
            },
            None,
        ),
    ],
)
def test_variables_say_where_clients_go(environment: dict[str, str], expected: str | None) -> None:
    endpoint = endpoint_of({**NO_FILE, **environment})
    assert endpoint.address == expected
    assert "secret" not in endpoint.why


@pytest.mark.parametrize(
    ("text", "environment", "expected"),
    [
        ("[default]\nendpoint_url = " + HERE, {}, HERE),
        ("[default]\nregion = x", {}, None),
        ("[default]\nendpoint_url = https://rekognition.eu-west-1.amazonaws.com", {}, None),
        ("[default]\nendpoint_url = http://other", {"AWS_ENDPOINT_URL": HERE}, HERE),
        ("[profile desk]\nendpoint_url = " + HERE, {}, None),
        ("[profile desk]\nendpoint_url = " + HERE, {"AWS_PROFILE": "desk"}, HERE),
        (
            "[default]\nservices = ours\nendpoint_url = http://other\n"
            f"[services ours]\nrekognition =\n  endpoint_url = {HERE}\n",
            {},
            HERE,
        ),
        ("[default]\nservices = ours\n[services ours]\nrekognition = x\n", {}, None),
        ("[default]\nservices = nowhere\nendpoint_url = " + HERE, {}, HERE),
        (f"[default]\nendpoint_url = {HERE}\nignore_configured_endpoint_urls = true", {}, None),
        ("no section = here", {}, None),
        ("", {}, None),
    ],
)
def test_the_configuration_file_says_where_clients_go(
    tmp_path: Path, text: str, environment: dict[str, str], expected: str | None
) -> None:
    file = tmp_path / "config"
    file.write_text(text)
    assert endpoint_of({"AWS_CONFIG_FILE": str(file), **environment}).address == expected


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with nothing on its path but what a test puts there."""
    programs = tmp_path / "bin"
    programs.mkdir()
    monkeypatch.setenv("PATH", str(programs))
    monkeypatch.setattr("sys.executable", str(programs / "python"))
    return tmp_path


def put(path: Path, text: str = "") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


@pytest.mark.parametrize(
    ("version", "reads"), [("1.30.9", False), ("1.31.0", True), ("1.43.2", True)]
)
def test_boto3_reads_it_from_a_version_on(machine: Path, version: str, reads: bool) -> None:
    packages = machine / "lib/python3.11/site-packages"
    put(packages / f"botocore-{version}.dist-info" / "METADATA")
    assert clients_here(machine / "project") == [
        Client(f"boto3 (botocore {version})", str(packages), reads)
    ]


@pytest.mark.parametrize(
    ("said", "reads"),
    [
        ("aws-cli/1.28.9 Python/3.8", False),
        ("aws-cli/1.29.0 Python/3.8", True),
        ("aws-cli/2.12.7 Python/3.11", False),
        ("aws-cli/2.13.0 Python/3.11", True),
        ("something else", None),
    ],
)
def test_the_cli_is_asked_for_its_version(machine: Path, said: str, reads: bool | None) -> None:
    program = machine / "bin/aws"
    put(program, f"#!/bin/sh\necho '{said}'\n")
    program.chmod(0o755)
    (found,) = clients_here(machine / "project")
    assert found.reads is reads


def test_javascripts_sdks_are_not_trusted_to_read_it(machine: Path) -> None:
    modules = machine / "node_modules"
    put(modules / "aws-sdk/package.json", json.dumps({"version": "2.1692.0"}))
    put(modules / "@aws-sdk/client-rekognition/package.json", json.dumps({"version": "3.900.0"}))
    assert [one.reads for one in clients_here(machine)] == [False, None]
    put(modules / "aws-sdk/package.json", "[]")
    put(modules / "@aws-sdk/client-rekognition/package.json", "nonsense")
    assert clients_here(machine) == []


def test_what_a_project_names_is_found(machine: Path) -> None:
    put(machine / "go.mod", "require github.com/aws/aws-sdk-go v1.55.5\n")
    put(machine / "pom.xml", "<groupId>software.amazon.awssdk</groupId>")
    found = {one.name: one.reads for one in clients_here(machine)}
    assert found == {"Go SDK v1": False, "Java SDK v2": None}


def test_endpoint_of_nobody_is_amazons() -> None:
    assert endpoint_of(NO_FILE) == Endpoint(None, "AWS_ENDPOINT_URL_REKOGNITION is not set")


@pytest.mark.parametrize(
    "given",
    [
        "https://rekognition.eu-west-1.amazonaws.com",
        "https://REKOGNITION.cn-north-1.amazonaws.com.cn.:443/",
        "https://rekognition.eu-west-1.api.aws",
        "127.0.0.1:8020",
        "nonsense",
        "http://",
        "http://[::1",
    ],
)
def test_an_address_of_amazon_or_of_nothing_is_no_endpoint(given: str) -> None:
    assert endpoint_of({"AWS_ENDPOINT_URL_REKOGNITION": given}).address is None


def test_a_host_that_only_looks_like_amazon_is_taken() -> None:
    given = "http://amazonaws.com.example:8020"
    assert endpoint_of({"AWS_ENDPOINT_URL_REKOGNITION": given}).address == given
