"""Writes docs/api.md: every public name of `likeness`, its signature and its docstring.

    python -m tools.reference            # write it (`make docs`)
    python -m tools.reference --check    # end with 1 where it is out of date (`make check`)

It is read from the source, not from the running program, so that every version of Python writes
the same page.
"""

import ast
import re
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from textwrap import dedent

import likeness

_REPOSITORY = Path(__file__).parents[1]
PAGE = _REPOSITORY / "docs" / "api.md"

_HEAD = """# API reference

Written by `make docs` from the docstrings: edit those. [python.md](python.md) shows how the parts
work together.
"""
# Their fields are described elsewhere, each with its variable and its default.
_DESCRIBED = {"Settings": "[configuration.md](configuration.md) lists its fields."}


def main() -> None:
    """Write the page, or check it."""
    page = reference()
    if sys.argv[1:] != ["--check"]:
        PAGE.write_text(page, encoding="utf-8")
    elif not PAGE.exists() or PAGE.read_text(encoding="utf-8") != page:
        sys.exit("docs/api.md is out of date. `make docs` writes it anew.")


def reference() -> str:
    """Give the whole page."""
    parts = [_HEAD]
    sections: dict[str, list[str]] = {"Functions": [], "Errors": [], "Classes": []}
    for name in sorted(likeness.__all__):
        if name != "__version__":
            sections[_section(getattr(likeness, name))].append(_described(_definition(name)))
    for title, descriptions in sections.items():
        parts += [f"\n## {title}\n", *descriptions]
    return "".join(parts)


def _section(thing: object) -> str:
    if not isinstance(thing, type):
        return "Functions"
    return "Errors" if issubclass(thing, Exception) else "Classes"


def _definition(name: str) -> ast.FunctionDef | ast.ClassDef:
    """Find what a public name stands for in the source of the module that defines it."""
    module = import_module(getattr(likeness, name).__module__)
    if module.__file__ is None:
        raise LookupError(f"{name} is of a module without a file")
    for node in ast.parse(Path(module.__file__).read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name == name:
            return node
    raise LookupError(f"{module.__name__} does not define {name}")


def _described(thing: ast.FunctionDef | ast.ClassDef) -> str:
    if isinstance(thing, ast.FunctionDef):
        return f"\n### `{thing.name}`\n\n{_code(_signature(thing))}\n{_prose(thing)}"
    parts = [f"\n### `{thing.name}`\n\n"]
    if bases := [ast.unparse(base) for base in thing.bases if _is_worth_a_word(base)]:
        parts.append(f"A kind of {' and '.join(f'`{base}`' for base in bases)}.\n\n")
    parts.append(_prose(thing))
    if thing.name in _DESCRIBED:
        parts.append(f"\n{_DESCRIBED[thing.name]}\n")
        return "".join(parts)
    if fields := list(_fields(thing)):
        parts += ["\n", _code("\n".join(fields))]
    for member in thing.body:
        if isinstance(member, ast.FunctionDef) and not member.name.startswith("_"):
            name = f"`{thing.name}.{member.name}`"
            if _is_property(member):
                returns = _annotation(member.returns) if member.returns else "object"
                parts.append(f"\n**{name}**: `{returns}`\n\n{_prose(member)}")
            else:
                parts.append(f"\n**{name}**\n\n{_code(_signature(member))}\n{_prose(member)}")
    return "".join(parts)


def _is_worth_a_word(base: ast.expr) -> bool:
    return ast.unparse(base) not in {"BaseModel", "Exception", "Protocol"}


def _is_property(member: ast.FunctionDef) -> bool:
    return any(
        ast.unparse(decorator) in {"property", "cached_property"}
        for decorator in member.decorator_list
    )


def _fields(thing: ast.ClassDef) -> Iterator[str]:
    """Give the fields of a dataclass, or the members of an enumeration, a line each."""
    for member in thing.body:
        match member:
            case ast.AnnAssign(target=ast.Name(id=name)) if not name.startswith("_"):
                yield f"{name}: {_annotation(member.annotation)}{_default(member.value)}"
            case ast.Assign(targets=[ast.Name(id=name)]) if not name.startswith("_"):
                yield f"{name}{_default(member.value)}"


def _signature(function: ast.FunctionDef) -> str:
    """Give a function's signature, with a line for each argument where it is long."""
    arguments = _arguments(function.args)
    returns = f" -> {_annotation(function.returns)}" if function.returns else ""
    line = f"{function.name}({', '.join(arguments)}){returns}"
    if len(line) <= 100:
        return line
    lines = "".join(f"    {argument},\n" for argument in arguments)
    return f"{function.name}(\n{lines}){returns}"


def _arguments(arguments: ast.arguments) -> list[str]:
    lines: list[str] = []
    positional = [*arguments.posonlyargs, *arguments.args]
    defaults = [None] * (len(positional) - len(arguments.defaults)) + list(arguments.defaults)
    for argument, default in zip(positional, defaults, strict=True):
        if argument.arg != "self":
            lines.append(_argument(argument, default))
    if arguments.vararg:
        lines.append(f"*{_argument(arguments.vararg, None)}")
    elif arguments.kwonlyargs:
        lines.append("*")
    for argument, keyword in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        lines.append(_argument(argument, keyword))
    if arguments.kwarg:
        lines.append(f"**{_argument(arguments.kwarg, None)}")
    return lines


def _argument(argument: ast.arg, default: ast.expr | None) -> str:
    annotation = f": {_annotation(argument.annotation)}" if argument.annotation else ""
    return f"{argument.arg}{annotation}{_default(default)}"


def _default(value: ast.expr | None) -> str:
    # In the quotes that our formatter wants, of Python in Markdown too.
    return " = " + ast.unparse(value).replace("'", '"') if value else ""


def _annotation(annotation: ast.expr) -> str:
    """Give an annotation without the quotes around names that are defined later."""
    words = ast.unparse(annotation)
    return words.replace("'", '"' if "Literal" in words else "")


def _code(text: str) -> str:
    return f"```python\n{text}\n```\n"


def _prose(thing: ast.FunctionDef | ast.ClassDef) -> str:
    """Give a docstring as Markdown: the sections `Args:` and `Raises:` become lists."""
    lines: list[str] = []
    inside = False
    for line in (ast.get_docstring(thing) or "").splitlines():
        if line in {"Args:", "Raises:", "Returns:", "Yields:"}:
            inside = True
            lines += [f"{line}", ""]
        elif inside and line.startswith("    ") and not line.startswith("     "):
            lines.append(f"- {_with_its_name_as_code(dedent(line))}")
        elif inside and line.startswith("     "):
            lines.append(f"  {line.strip()}")
        else:
            inside = inside and not line
            lines.append(line)
    return "\n".join(lines).rstrip() + "\n"


def _with_its_name_as_code(line: str) -> str:
    name, colon, rest = line.partition(":")
    return f"`{name}`{colon}{rest}" if colon and re.fullmatch(r"[\w.*]+", name) else line


if __name__ == "__main__":
    main()
