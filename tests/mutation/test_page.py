"""docs/mutation.md explains mutants of the present code, each with a reason."""

import ast
import inspect
from functools import reduce
from importlib import import_module

from tests.mutation.page import PAGE, explained
from tests.mutation.run import scope, undecorated


def source(where: str) -> str:
    """Return the source of a function as the page names it, `validate.window:date` or `dedupe.state:Sightings.deadline`."""
    module, _, name = where.partition(":")
    found = reduce(getattr, name.split("."), import_module(f"processors.{module}"))
    return inspect.getsource(getattr(found, "fget", None) or inspect.unwrap(found))  # type: ignore[arg-type]


def test_what_is_explained_is_a_mutant_of_a_line_that_is_there() -> None:
    for mutant in explained():
        lines = " ".join(line.strip() for line in source(mutant.where).splitlines())
        assert mutant.before in lines, mutant
        assert mutant.before != mutant.after, mutant


def test_every_table_is_led_by_a_reason() -> None:
    before = [part.rstrip().rpartition("\n\n")[2] for part in PAGE.read_text().split("| where | line | mutant |")[:-1]]
    assert before
    assert [each for each in before if each.startswith(("#", "|"))] == []


def test_every_module_in_scope_has_its_figures() -> None:
    figures = {line.split("|")[1].strip() for line in PAGE.read_text().splitlines() if line.startswith("| ")}
    assert {path.removeprefix("processors/").removesuffix(".py") for path in scope()} <= figures


def test_a_mutated_copy_answers_again_and_has_its_properties() -> None:
    text = """
class One:
    @property
    def name(self) -> str:
        return "one"

@lru_cache(maxsize=512)
def two(n: int) -> int:
    return n
"""
    copy = undecorated(text)
    assert [ast.unparse(each) for each in ast.parse(copy).body] == [
        "class One:\n\n    def name_(self) -> str:\n        return 'one'\n    name = property(name_)",
        "def two(n: int) -> int:\n    return n",
    ]
    assert undecorated(text, cached=True).endswith("def two_(n: int) -> int:\n    return n\ntwo = lru_cache(maxsize=512)(two_)\n")
