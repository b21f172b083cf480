"""The Merkle tree: published vectors, and proofs over random trees."""

from collections.abc import Sequence
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from likeness.ledger.tree import (
    EMPTY_ROOT,
    Frontier,
    Node,
    ReadNodes,
    consistency_proof,
    inclusion_proof,
    is_consistent,
    leaf_hash,
    node_hash,
    read_frontier,
    root_by_inclusion,
)

# transparency-dev/merkle, testonly/constants.go
LEAVES = [
    bytes.fromhex(each)
    for each in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = ["6e340b9c", "fac54203", "aeb6bcfe", "d37ee418", "4e3bbb1f", "76e67dad", "ddb89be4"]
ROOT_OF_8 = "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"


def definition(leaves: Sequence[bytes]) -> bytes:
    """RFC 9162, 2.1.1, word for word."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return leaf_hash(leaves[0])
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return node_hash(definition(leaves[:k]), definition(leaves[k:]))


def data(size: int) -> list[bytes]:
    return [b"%d" % number for number in range(size)]


def reader(leaves: Sequence[bytes]) -> ReadNodes:
    def read(nodes: Sequence[Node]) -> list[bytes]:
        return [definition(leaves[i << level : (i + 1) << level]) for level, i in nodes]

    return read


def grown(leaves: Sequence[bytes]) -> Frontier:
    tree = Frontier()
    for leaf in leaves:
        tree, _ = tree.appended(leaf_hash(leaf))
    return tree


def test_an_empty_tree_has_the_hash_of_nothing() -> None:
    assert Frontier().root == EMPTY_ROOT == sha256(b"").digest()


@pytest.mark.parametrize("size", range(1, 9))
def test_roots_are_the_published_ones(size: int) -> None:
    expected = [*ROOTS, ROOT_OF_8][size - 1]
    assert grown(LEAVES[:size]).root.hex().startswith(expected)
    assert grown(LEAVES).root.hex() == ROOT_OF_8


@given(st.integers(0, 70))
def test_a_tree_that_grows_follows_the_definition(size: int) -> None:
    leaves = data(size)
    assert grown(leaves).root == definition(leaves)
    assert read_frontier(size, reader(leaves)) == grown(leaves)


@given(st.integers(0, 200))
def test_an_append_gives_every_node_that_ends_with_the_leaf(index: int) -> None:
    leaves = data(index + 1)
    _, completed = grown(leaves[:-1]).appended(leaf_hash(leaves[-1]))
    for level, made in enumerate(completed):
        assert made == definition(leaves[index + 1 - (1 << level) :])
    assert (index + 1) % (1 << len(completed)) != 0


@given(st.integers(1, 70), st.data())
def test_an_inclusion_proof_leads_to_the_root_and_no_other_does(
    size: int, draw: st.DataObject
) -> None:
    leaves = data(size)
    index = draw.draw(st.integers(0, size - 1))
    proof = inclusion_proof(index, size, reader(leaves))
    root, leaf = definition(leaves), leaf_hash(leaves[index])
    assert root_by_inclusion(leaf, index, size, proof) == root

    assert root_by_inclusion(leaf_hash(b"other"), index, size, proof) != root
    assert root_by_inclusion(leaf, index, size, [*proof, root]) is None
    assert root_by_inclusion(leaf, size, size, proof) is None
    assert root_by_inclusion(leaf, -1, size, proof) is None
    elsewhere = draw.draw(st.integers(0, size - 1))
    if elsewhere != index:
        assert root_by_inclusion(leaf, elsewhere, size, proof) != root
    if proof:
        changed = draw.draw(st.integers(0, len(proof) - 1))
        proof[changed] = bytes(32)
        assert root_by_inclusion(leaf, index, size, proof) != root
        assert root_by_inclusion(leaf, index, size, proof[1:]) is None


@given(st.integers(1, 70), st.data())
def test_a_consistency_proof_shows_growth_and_nothing_else(size: int, draw: st.DataObject) -> None:
    leaves = data(size)
    old = draw.draw(st.integers(1, size))
    proof = consistency_proof(old, size, reader(leaves))
    roots = definition(leaves[:old]), definition(leaves)
    assert is_consistent(old, roots[0], size, roots[1], proof)

    assert not is_consistent(old, bytes(32), size, roots[1], proof)
    assert not is_consistent(old, roots[0], size, bytes(32), proof)
    assert not is_consistent(old, roots[0], size, roots[1], [*proof, bytes(32)])
    assert not is_consistent(size + 1, roots[0], size, roots[1], proof)
    assert not is_consistent(-1, roots[0], size, roots[1], proof)
    if proof:
        proof[draw.draw(st.integers(0, len(proof) - 1))] = bytes(32)
        assert not is_consistent(old, roots[0], size, roots[1], proof)


def test_every_tree_grew_from_the_empty_one() -> None:
    root = definition(data(3))
    assert is_consistent(0, EMPTY_ROOT, 3, root, [])
    assert not is_consistent(0, root, 3, root, [])
    assert not is_consistent(0, EMPTY_ROOT, 3, root, [root])


def test_the_proofs_of_rfc_6962s_example_are_made_of_the_nodes_it_names() -> None:
    """RFC 6962, 2.1.3: seven leaves."""
    leaves = data(7)
    asked: list[Node] = []

    def read(nodes: Sequence[Node]) -> list[bytes]:
        asked.extend(nodes)
        return reader(leaves)(nodes)

    b, h, l_part = (0, 1), (1, 1), [(1, 2), (0, 6)]
    inclusion_proof(0, 7, read)
    assert asked == [b, h, *l_part]
    asked.clear()
    consistency_proof(3, 7, read)
    c, d, g = (0, 2), (0, 3), (1, 0)
    assert asked == [c, d, g, *l_part]
