"""What is kept secret, and how? Keys: the installation's, those they seal, those that sign."""

from likeness.secrets.digester import Digester
from likeness.secrets.key_files import KeyFiles
from likeness.secrets.keyring import Keyring
from likeness.secrets.signing import SigningKey, VerifyingKey
from likeness.secrets.sources import CommandKeys, GivenKeys, KeySource
from likeness.secrets.wrapping import OVERHEAD_BYTES, Key, key_id_of

__all__ = [
    "OVERHEAD_BYTES",
    "CommandKeys",
    "Digester",
    "GivenKeys",
    "Key",
    "KeyFiles",
    "KeySource",
    "Keyring",
    "SigningKey",
    "VerifyingKey",
    "key_id_of",
]
