"""The installation's keyring: its newest key seals, older ones unseal.

Rotation is three steps, each of which may be interrupted and done again: `rotate` makes a newer
key, whoever keeps sealed things replaces each by its `rewrap`, and `retire` destroys the old key.

Other programs share the keys. So that none seals with a key that another retires, call `seal` and
`new_data_key` inside the act that stores what they give, and `retire` inside the act that found
nothing left to rewrap: the database lets one act write at a time.
"""

import os

from likeness.errors import Conflict, KeyUnusable
from likeness.secrets.sources import KeySource
from likeness.secrets.wrapping import KEY_BYTES, Key, key_id_of


class Keyring:
    """The installation's keys, from a source; made there at the first start.

    Safe to use from many threads. `context` says what is sealed and where it belongs, as for
    `Key.seal`, such as `b"key of collection " + id`.
    """

    def __init__(self, source: KeySource) -> None:
        """Load the keys.

        Raises:
            KeyUnusable: they cannot be had, or are not kept secret.
        """
        self._source = source
        if not source.load():
            source.add(None)
        self._keys = self._loaded()

    @property
    def key_ids(self) -> tuple[str, ...]:
        """The ids of all keys, newest first."""
        return tuple(key.id for key in self._keys)

    def seal(self, secret: bytes, context: bytes) -> bytes:
        """Seal something small, such as another key, with the newest key.

        Raises:
            KeyUnusable: the keys cannot be had any more.
        """
        self._keys = self._loaded()  # another program may have rotated
        return self._keys[0].seal(secret, context)

    def unseal(self, sealed: bytes, context: bytes) -> bytes:
        """Give back what was sealed in this context.

        Raises:
            KeyUnusable: the key is gone, or what came is damaged or belongs elsewhere.
        """
        return self._key(key_id_of(sealed)).unseal(sealed, context)

    def new_data_key(self, context: bytes) -> tuple[Key, bytes]:
        """Make a key, such as a collection's, and what to keep of it: itself, sealed.

        Whoever deletes what is kept destroys all that the key sealed.
        """
        material = os.urandom(KEY_BYTES)
        return Key(material), self.seal(material, context)

    def open_data_key(self, sealed: bytes, context: bytes) -> Key:
        """Give back a key that `new_data_key` made.

        Raises:
            KeyUnusable: the installation's key is gone, or what came is damaged or another's.
        """
        return Key(self.unseal(sealed, context))

    def rewrap(self, sealed: bytes, context: bytes) -> bytes:
        """Seal anew with the newest key; what it has sealed already is given back as it is.

        Raises:
            KeyUnusable: as for `unseal`.
        """
        if key_id_of(sealed) == self._keys[0].id:
            return sealed
        return self.seal(self.unseal(sealed, context), context)

    def rotate(self) -> str:
        """Make a newer key and seal with it from now on; the id of the newest is returned.

        Raises:
            Conflict: the keys are made elsewhere.
        """
        self._source.add(self._keys[0])
        self._keys = self._loaded()
        return self._keys[0].id

    def retire(self, key_id: str) -> None:
        """Destroy an older key; nothing may be left that it sealed.

        Raises:
            Conflict: it is the newest, or keys are destroyed elsewhere.
            NotFound: there is none of that id.
        """
        self._keys = self._loaded()
        if key_id == self._keys[0].id:
            raise Conflict(
                f"Key {key_id} is the one that seals, and cannot be destroyed. Rotate first."
            )
        self._source.remove(key_id)
        self._keys = self._loaded()

    def _key(self, key_id: str) -> Key:
        if key_id not in self.key_ids:
            self._keys = self._loaded()  # another program may have rotated
        for key in self._keys:
            if key.id == key_id:
                return key
        raise KeyUnusable(
            f"Key {key_id} is gone, and something sealed by it cannot be opened. Restore that key"
            f" from a backup; there are only {', '.join(self.key_ids)}."
        )

    def _loaded(self) -> tuple[Key, ...]:
        keys = self._source.load()
        if not keys:
            raise KeyUnusable("The keys of this installation are gone. Restore them from a backup.")
        return keys
