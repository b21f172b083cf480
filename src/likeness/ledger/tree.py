"""The Merkle tree of RFC 9162: one hash for a list of entries, and proofs of it.

Pure functions. A node is `(level, index)`: the hash of the `2**level` leaves that begin at
`index * 2**level`. Only complete nodes are ever kept; what lies on the right edge is made of them.
A range `(begin, end)` of leaves stands for the subtree over them.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256

HASH_BYTES = 32
EMPTY_ROOT = sha256(b"").digest()

Node = tuple[int, int]
Range = tuple[int, int]
ReadNodes = Callable[[Sequence[Node]], Sequence[bytes]]


def leaf_hash(data: bytes) -> bytes:
    """Hash an entry's bytes."""
    return sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash two subtrees into the one above them."""
    return sha256(b"\x01" + left + right).digest()


@dataclass(frozen=True, slots=True)
class Frontier:
    """All that is needed of a tree to append to it: its complete subtrees, the largest first."""

    size: int = 0
    peaks: tuple[bytes, ...] = ()

    @property
    def root(self) -> bytes:
        """The hash of the whole tree."""
        return _joined(self.peaks) if self.peaks else EMPTY_ROOT

    def appended(self, leaf: bytes) -> tuple["Frontier", tuple[bytes, ...]]:
        """Append a leaf; gives the tree, and the hashes of every node that ends with the leaf."""
        peaks, completed = list(self.peaks), [leaf]
        for _ in range(_ones_at_the_end(self.size)):
            completed.append(node_hash(peaks.pop(), completed[-1]))
        return Frontier(self.size + 1, (*peaks, completed[-1])), tuple(completed)


def read_frontier(size: int, read: ReadNodes) -> Frontier:
    """Read what is needed to append to a tree of a size."""
    return Frontier(size, tuple(read(_covering((0, size))) if size else ()))


def inclusion_proof(index: int, size: int, read: ReadNodes) -> list[bytes]:
    """Make the proof that a leaf is in the tree of a size (RFC 9162, 2.1.3.1)."""
    return _hashes_of(_beside(index, size), read)


def root_by_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes]) -> bytes | None:
    """Compute the root that a proof leads to from a leaf; None where it cannot be a proof."""
    if not 0 <= index < size:
        return None
    ranges = _beside(index, size)
    if len(proof) != len(ranges):
        return None
    root = leaf
    for (begin, _), sibling in zip(ranges, proof, strict=True):
        root = node_hash(sibling, root) if begin < index else node_hash(root, sibling)
    return root


def consistency_proof(old_size: int, size: int, read: ReadNodes) -> list[bytes]:
    """Make the proof that a tree only grew from `old_size` on, which is 1 or more (2.1.4.1)."""
    return _hashes_of(_between(old_size, size), read)


def is_consistent(
    old_size: int, old_root: bytes, size: int, root: bytes, proof: Sequence[bytes]
) -> bool:
    """Say whether a proof shows that the tree only grew from the one root to the other."""
    if not 0 <= old_size <= size:
        return False
    if old_size == 0:
        return old_root == EMPTY_ROOT and not proof
    ranges = _between(old_size, size)
    if len(proof) != len(ranges):
        return False
    # Where the old tree is itself a node of the new one, the proof leaves it out.
    begins_with_old = old_size & (old_size - 1) == 0 or old_size == size
    hashes = [old_root, *proof] if begins_with_old else list(proof)
    others = ranges if begins_with_old else ranges[1:]
    old = new = hashes[0]
    for (begin, _), sibling in zip(others, hashes[1:], strict=True):
        if begin < old_size:
            old, new = node_hash(sibling, old), node_hash(sibling, new)
        else:
            new = node_hash(new, sibling)
    return old == old_root and new == root


def _beside(index: int, size: int) -> list[Range]:
    """The subtrees beside the way from a leaf up to the root."""
    begin, end, beside = 0, size, []
    while end - begin > 1:
        middle = begin + _left_size(end - begin)
        if index < middle:
            beside.append((middle, end))
            end = middle
        else:
            beside.append((begin, middle))
            begin = middle
    return beside[::-1]


def _between(old_size: int, size: int) -> list[Range]:
    """The subtrees of which both trees are made, from the old one's right edge up to the root."""
    begin, end, between = 0, size, []
    while old_size != end:
        middle = begin + _left_size(end - begin)
        if old_size <= middle:
            between.append((middle, end))
            end = middle
        else:
            between.append((begin, middle))
            begin = middle
    if begin > 0:
        between.append((begin, end))
    return between[::-1]


def _hashes_of(ranges: Sequence[Range], read: ReadNodes) -> list[bytes]:
    """Hash subtrees, whose nodes are read at once."""
    parts = [_covering(each) for each in ranges]
    nodes = [node for part in parts for node in part]
    hashes = iter(read(nodes) if nodes else ())
    return [_joined([next(hashes) for _ in part]) for part in parts]


def _covering(leaves: Range) -> list[Node]:
    """The complete nodes that a subtree is made of, from the left; `begin` fits the first."""
    begin, end = leaves
    covering = []
    while begin < end:
        level = (end - begin).bit_length() - 1
        covering.append((level, begin >> level))
        begin += 1 << level
    return covering


def _joined(hashes: Sequence[bytes]) -> bytes:
    """Hash ever smaller complete subtrees into one."""
    *lefts, joined = hashes
    for left in reversed(lefts):
        joined = node_hash(left, joined)
    return joined


def _left_size(size: int) -> int:
    """The largest power of two below a size of 2 or more: how many leaves are on the left."""
    return 1 << ((size - 1).bit_length() - 1)


def _ones_at_the_end(number: int) -> int:
    """Count the ones at the end of a number in binary."""
    return (~number & (number + 1)).bit_length() - 1
