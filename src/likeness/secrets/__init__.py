"""Keys: the installation's, those that they seal, and those that sign."""

from likeness.secrets.key_files import KeyFiles
from likeness.secrets.keyring import Keyring
from likeness.secrets.passphrase import SEALED_MAGIC, opened_stream, sealed_stream
from likeness.secrets.signing import SigningKey, VerifyingKey
from likeness.secrets.sources import CommandKeys, KeySource, TextKeys, run_command
from likeness.secrets.wrapping import OVERHEAD_BYTES, Digester, Key, key_id_of

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
    "key_id_of",
    "opened_stream",
    "run_command",
    "sealed_stream",
]
