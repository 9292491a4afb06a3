"""Modules stay small and say what they are for; what a room promises is described."""

from __future__ import annotations

import ast
from pathlib import Path

MOST_LINES = 400  # CONTRIBUTING.md: files usually sit at 80 to 250 lines


def test_no_source_file_is_longer_than_400_lines(sources: list[Path]) -> None:
    lengths = {str(path): len(path.read_text().splitlines()) for path in sources}
    assert {name: lines for name, lines in lengths.items() if lines > MOST_LINES} == {}


def test_every_module_says_what_it_is_for(sources: list[Path]) -> None:
    modules = {str(path): ast.parse(path.read_text()) for path in sources}
    # A package marker without a line of code promises nothing.
    silent = [
        name for name, module in modules.items() if module.body and not ast.get_docstring(module)
    ]
    assert silent == []


def test_every_promised_function_and_class_is_described(sources: list[Path]) -> None:
    undescribed: list[str] = []
    for path in sources:
        module = ast.parse(path.read_text())
        promised = exported_names(module)
        for node in module.body:
            if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                continue
            if node.name in promised and not ast.get_docstring(node):
                undescribed.append(f"{path}:{node.lineno} {node.name}")
    assert undescribed == []


def exported_names(module: ast.Module) -> set[str]:
    """The strings in the module's `__all__`, none if it has no such list."""
    for node in module.body:
        match node:
            case ast.Assign(targets=[ast.Name(id="__all__")], value=value):
                return set(ast.literal_eval(value))
    return set()
