"""The Python face: which names there are, and that the README's lines work."""

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import likeness

REPOSITORY = Path(__file__).parents[1]


def test_every_public_name_is_there_and_no_other_is_visible() -> None:
    assert dir(likeness) == sorted(likeness.__all__)
    for name in likeness.__all__:
        assert getattr(likeness, name) is not None


def test_type_checkers_see_the_same_names_from_the_same_homes() -> None:
    tree = ast.parse(Path(likeness.__file__).read_text())
    (checked,) = [node for node in tree.body if isinstance(node, ast.If)]
    seen = {
        alias.name: node.module
        for node in checked.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert set(seen) == set(likeness.__all__) - {"__version__"}
    for name, home in seen.items():
        assert getattr(likeness, name).__module__.startswith(home)


def test_a_name_that_is_not_public_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'recognise'"):
        _ = likeness.recognise


def test_importing_likeness_imports_nothing_else() -> None:
    script = "import sys, likeness; sys.exit('numpy' in sys.modules or 'pydantic' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], timeout=60).returncode == 0


def test_the_version_is_that_of_the_package() -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    assert likeness.__version__ == project["version"]


@pytest.mark.models
def test_the_python_lines_of_the_documentation_work(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, cache_dir: Path
) -> None:
    from likeness.demo.run import run
    from likeness.errors import ArtifactUnavailable

    monkeypatch.setenv("LIKENESS_CACHE", str(cache_dir))
    monkeypatch.chdir(tmp_path)
    try:
        run(Path("demo-out"))
    except ArtifactUnavailable as error:
        pytest.skip(str(error))
    names: dict[str, object] = {}
    for document in ("README.md", "docs/python.md"):
        blocks = re.findall(r"```python\n(.*?)```", (REPOSITORY / document).read_text(), re.S)
        assert blocks
        for block in blocks:
            exec(block, names)
    answer = names["answer"]
    assert isinstance(answer, likeness.Verification)
    assert answer.same
