"""Certificates of erasures: what a command says of them, writes of them and reads."""

import json
from pathlib import Path

from likeness.cli.terminal.answers import Json, print_json
from likeness.cli.terminal.output_file import write_output
from likeness.cli.terminal.plain_text import plain
from likeness.cli.terminal.words import minute, several
from likeness.errors import InvalidRequest
from likeness.gallery import ErasureCertificate, Remainder

# One of an erasure of a million references has a tenth of that.
_LARGEST_BYTES = 100_000_000


def give_certificate(certificate: ErasureCertificate, out: Path | None, as_json: bool) -> None:
    """Print what was erased and what was out of reach; write the certificate where that is asked.

    Raises:
        InvalidRequest: the file cannot be written; the certificate is printed before.
    """
    if as_json:
        print_json(certificate_json(certificate))
    else:
        for line in _in_words(certificate):
            print(line)
    if out is not None:
        write_certificate(certificate, out)
        if not as_json:
            print(f"{plain(out)} holds the certificate: `likeness collections verify` checks it.")


def write_certificate(certificate: ErasureCertificate, out: Path) -> None:
    """Write a certificate as `read_certificate` reads it.

    Raises:
        InvalidRequest: the file cannot be written.
    """
    write_output(out, f"{json.dumps(certificate.as_json(), indent=2)}\n".encode())


def certificate_json(certificate: ErasureCertificate) -> Json:
    """A certificate and its digest."""
    return {"certificate": certificate.as_json(), "digest": certificate.digest}


def erased_in_words(certificate: ErasureCertificate) -> str:
    """Say how much was erased."""
    erased = certificate.erased
    return counts_in_words(erased.subjects, erased.references, erased.whole_collection)


def counts_in_words(subjects: int, references: int, whole_collection: bool) -> str:
    """Say how many that was."""
    counts = f"{several(subjects, 'subject')} and {several(references, 'reference')}"
    return f"a collection of {counts}" if whole_collection else counts


def read_certificate(path: Path) -> ErasureCertificate:
    """Read a certificate that a command wrote, as it is or as it was printed.

    Raises:
        InvalidRequest: the file cannot be read, or holds none.
    """
    try:
        if not path.is_file():
            came = "is no file" if path.exists() else "does not exist"
            raise InvalidRequest(f"'{path}' {came}. Name the file of a certificate.")
        with path.open("rb") as file:
            content = file.read(_LARGEST_BYTES + 1)
        if len(content) > _LARGEST_BYTES:
            raise ValueError("too large")
        value = json.loads(content)
    except OSError as error:
        raise InvalidRequest(
            f"'{path}' cannot be read ({error.strerror}). Check its permissions."
        ) from error
    except (ValueError, RecursionError) as error:
        raise InvalidRequest(
            f"'{path}' holds no JSON document of at most {_LARGEST_BYTES:,} bytes. Give the"
            " certificate as it was issued."
        ) from error
    printed = isinstance(value, dict) and "certificate" in value
    return ErasureCertificate.from_json(value["certificate"] if printed else value)


def _in_words(certificate: ErasureCertificate) -> list[str]:
    return [
        f"Erased: {erased_in_words(certificate)}.",
        *(f"  done: {done}" for done in certificate.done),
        *(f"  stays {_until(one)}: {one.what}, since {one.why}" for one in certificate.remainders),
        *(f"  out of reach: {place}" for place in certificate.out_of_reach),
        f"Certificate {certificate.id}, SHA-256 {certificate.digest}.",
    ]


def _until(one: Remainder) -> str:
    return "without a date" if one.until is None else f"until {minute(one.until)}"
