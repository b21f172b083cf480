"""What the package says, in docstrings and messages, is said as one would say it to a colleague."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import likeness

_PACKAGE = Path(likeness.__file__).parent
_DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
_EXPECTED = re.compile(r"\b(was|were)\s+expected\b")
_REMEDY_BEHIND_COLON = re.compile(
    r": (check|choose|correct|delete|give|install|make|pass|remove|report|restore|retry|run|save"
    r"|send|sign|try|use) [^:]*$"
)


def _questions(tree: ast.Module) -> Iterator[str]:
    """Give the docstrings whose first line asks something."""
    for node in ast.walk(tree):
        said = ast.get_docstring(node) if isinstance(node, _DOCUMENTED) else None
        if said and "?" in said.splitlines()[0]:
            yield said


def _of_the_old_shape(tree: ast.Module) -> Iterator[str]:
    """Give the messages that say first what was expected, or the remedy in the same sentence."""
    for said in _messages(tree):
        if _EXPECTED.search(said) or _REMEDY_BEHIND_COLON.search(said):
            yield said


def _messages(tree: ast.Module) -> Iterator[str]:
    """Give every text but those that stand by themselves; what is filled in becomes an ellipsis."""
    alone = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    filled = [node for node in ast.walk(tree) if isinstance(node, ast.JoinedStr)]
    parts = {id(part) for node in filled for part in node.values}
    for node in ast.walk(tree):
        if id(node) in alone | parts:
            continue
        match node:
            case ast.Constant(value=str(said)):
                yield said
            case ast.JoinedStr(values=values):
                yield "".join(
                    str(part.value) if isinstance(part, ast.Constant) else "…" for part in values
                )


@pytest.fixture(scope="module")
def trees() -> dict[str, ast.Module]:
    files = sorted(_PACKAGE.rglob("*.py"))
    return {str(path.relative_to(_PACKAGE)): ast.parse(path.read_text()) for path in files}


def test_no_docstring_begins_with_a_question(trees: dict[str, ast.Module]) -> None:
    asked = [(file, said) for file, tree in trees.items() for said in _questions(tree)]
    assert asked == []


def test_every_message_leads_with_the_problem(trees: dict[str, ast.Module]) -> None:
    old = [(file, said) for file, tree in trees.items() for said in _of_the_old_shape(tree)]
    assert old == []


@pytest.mark.parametrize(
    "old",
    ["f'a number was expected and {x!r} came'", "f'no such key ({x}): check it'"],
)
def test_a_message_of_the_old_shape_would_be_found(old: str) -> None:
    assert len(list(_of_the_old_shape(ast.parse(f"raise ValueError({old})")))) == 1


def test_a_docstring_that_asks_would_be_found() -> None:
    assert len(list(_questions(ast.parse('"""What is it? A thing."""')))) == 1
