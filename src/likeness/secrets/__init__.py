"""Keys: the installation's, those that they seal, and those that sign."""

from likeness.secrets.key_sources import CommandKeys, KeyFiles, TextKeys, run_command
from likeness.secrets.keys import (
    OVERHEAD_BYTES,
    Digester,
    Key,
    Keyring,
    KeySource,
    SigningKey,
    VerifyingKey,
    count_by_key,
    key_id_of,
)
from likeness.secrets.passphrase import SEALED_MAGIC, opened_stream, sealed_stream

__all__ = [
    "OVERHEAD_BYTES",
    "SEALED_MAGIC",
    "CommandKeys",
    "Digester",
    "Key",
    "KeyFiles",
    "KeySource",
    "Keyring",
    "SigningKey",
    "TextKeys",
    "VerifyingKey",
    "count_by_key",
    "key_id_of",
    "opened_stream",
    "run_command",
    "sealed_stream",
]
