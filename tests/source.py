"""Syntax trees of source files, each parsed once; tests that walk the whole code share them."""

import ast
import gc
from functools import cache
from pathlib import Path


@cache
def texts(path: Path) -> frozenset[str]:
    """Return the strings of a source file."""
    return frozenset(node.value for node in ast.walk(tree(path)) if isinstance(node, ast.Constant) and isinstance(node.value, str))


@cache
def tree(path: Path) -> ast.Module:
    gc.disable()  # of a tree nothing is garbage, and each collection would scan every tree
    try:
        return ast.parse(path.read_text(encoding="utf-8"))
    finally:
        gc.freeze()
        gc.enable()
