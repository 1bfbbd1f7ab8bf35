"""
Mutation testing of what decides transitions, dates, deadlines and duplicates: `make mutants`.

A copy of the project is made under `mutants/`, mutmut changes one thing after another in it, and the tests must notice.
Whatever they do not notice must be explained in docs/mutation.md; exit 1 where a survivor is not.

The copy differs in one way. mutmut leaves decorated functions alone; so `@property` and `@lru_cache` are written as
assignments after a function of another name. Outside `processors/rules` `@lru_cache` is taken off, since a mutant there
runs in a copy of a process that has asked the code as it is, and would be given its answers.

    python -m tests.mutation.run [PATTERN…]     mutants of these names only, such as processors.ingest.read.dates.*
    python -m tests.mutation.run --report       the figures and survivors of the last run
"""

import ast
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections import Counter
from difflib import unified_diff
from fnmatch import fnmatch

import libcst as cst
from mutmut.mutation.diff_apply import read_mutant_function, read_mutants_module, read_original_function

from tests.mutation.page import ROOT, Mutant, explained

COPY = ROOT / "mutants"
COPIED = ("processors", "tests", "docs", "examples", "schemas", "pyproject.toml")
MADE_ONCE = "processors.rules."  # what these make is kept by the tests, so that every mutant needs a process where nothing is yet
ENDS = COPY / "ends.json"


def scope() -> list[str]:
    return list(tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["mutmut"]["only_mutate"])


def copied() -> None:
    """Copy the project to `mutants/` again, without the earlier results."""
    shutil.rmtree(COPY, ignore_errors=True)
    COPY.mkdir()
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, COPY / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(source, COPY / name)
    for path in scope():
        file = COPY / path
        file.write_text(undecorated(file.read_text(), cached=path.startswith(MADE_ONCE.replace(".", "/"))))


def undecorated(source: str, *, cached: bool = False) -> str:
    """Return the source with functions without decorators: `name = decorator(name_)` follows `name_`; `cached` is whether caches stay."""
    lines = source.splitlines()
    after: dict[int, str] = {}
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.FunctionDef) or len(node.decorator_list) != 1:
            continue
        (decorator,) = node.decorator_list
        words = ast.unparse(decorator)
        if words == "property" or words.startswith("lru_cache"):
            lines[decorator.lineno - 1] = ""
        if words == "property" or (words.startswith("lru_cache") and cached):
            lines[node.lineno - 1] = lines[node.lineno - 1].replace(f"def {node.name}(", f"def {node.name}_(")
            after[node.end_lineno or 0] = f"{' ' * node.col_offset}{node.name} = {words}({node.name}_)"
    return "\n".join(line if number not in after else f"{line}\n{after[number]}" for number, line in enumerate(lines, 1)) + "\n"


def mutate(patterns: list[str]) -> None:
    """Makes the mutants and lets those of these names meet the tests; `ends` has all that is known."""
    ours = {**os.environ, "PYTHONPATH": str(COPY), "PY_COLORS": "0"}
    made = subprocess.run(
        [sys.executable, "-m", "tests.mutation.mutate"], cwd=COPY, env=ours, check=True, stdout=subprocess.PIPE, text=True
    )
    typed: dict[str, bool] = json.loads(made.stdout.splitlines()[-1])
    known = ends()
    found = {name: known.get(name, "not run") if right else "types" for name, right in typed.items()}
    names, answers = COPY / "names", COPY / "answers"
    for made_once in (False, True):
        chosen = [
            name
            for name, right in typed.items()
            if right and name.startswith(MADE_ONCE) is made_once and any(fnmatch(name, pattern) for pattern in patterns)
        ]
        if chosen:
            names.write_text("\n".join(chosen))
            answers.write_text("")
            command = [sys.executable, "-m", "tests.mutation.loop", str(names), str(answers), *(["--cold"] if made_once else [])]
            subprocess.run(command, cwd=COPY / "mutants", env=ours | {"PYTHONPATH": str(COPY / "mutants")}, check=True)
            found |= {name: end for name, _, end in (line.partition(" ") for line in answers.read_text().splitlines())}
            ENDS.write_text(json.dumps(found, indent=1))
    ENDS.write_text(json.dumps(found, indent=1))


def ends() -> dict[str, str]:
    """Return how each mutant ended, by its name."""
    return dict(json.loads(ENDS.read_text())) if ENDS.exists() else {}


def shown(name: str) -> Mutant:
    """Return what a mutant changes: the function, its line, and what became of it."""
    module, _, mangled = name.rpartition(".")
    read = read_mutants_module(COPY / "mutants" / f"{module.replace('.', '/')}.py")
    before, after = (cst.Module([each(read, name)]).code.splitlines() for each in (read_original_function, read_mutant_function))
    lines = [line for line in unified_diff(before, after, n=0, lineterm="") if not line.startswith(("---", "+++", "@@"))]
    was, became = (" ".join(line[1:].strip() for line in lines if line.startswith(sign)) for sign in "-+")
    function = re.sub(r"__mutmut_\d+$", "", mangled).removeprefix("x_").removeprefix("xǁ").replace("ǁ", ".")
    function = re.sub(r"(?<!_)_$", "", function)  # of `undecorated`
    return Mutant(f"{module.removeprefix('processors.')}:{function}", was, became)


def report() -> int:
    """Prints the figures per module and every survivor that docs/mutation.md does not explain; 1 where there is one."""
    table, known = explained(), ends()
    strangers, seen, total = [], set(), Counter[str]()
    sys.stdout.write("| module | mutants | by types | by tests | timeout | survived | not run |\n|---|---|---|---|---|---|---|\n")
    for path in scope():
        module = path.removesuffix(".py").replace("/", ".")
        mine = {name: end for name, end in known.items() if name.rpartition(".")[0] == module}
        total += (counts := Counter(mine.values()))
        sys.stdout.write(figures(path.removeprefix("processors/").removesuffix(".py"), counts))
        for name in (each for each, end in mine.items() if end in {"survived", "no tests"}):
            mutant = shown(name)
            seen.add(mutant)
            if mutant not in table:
                strangers.append((name, mutant))
    sys.stdout.write(figures("all", total))
    for name, mutant in strangers:
        sys.stdout.write(f"\n{known[name]}, not explained: {name}\n  {mutant.where}\n- {mutant.before}\n+ {mutant.after}\n")
    for mutant in table - seen if not total["not run"] else ():
        sys.stdout.write(f"\nexplained, but no survivor: {mutant.where}\n- {mutant.before}\n+ {mutant.after}\n")
    return 1 if strangers else 0


def figures(name: str, counts: "Counter[str]") -> str:
    survived = counts["survived"] + counts["no tests"]
    cells = (name, counts.total(), counts["types"], counts["killed"], counts["timeout"], survived, counts["not run"])
    return f"| {' | '.join(map(str, cells))} |\n"


def main(arguments: list[str]) -> int:
    if arguments == ["--report"]:
        return report()
    modules = [f"{path.removesuffix('.py').replace('/', '.')}.*" for path in scope()]
    if not arguments or not COPY.exists():
        copied()
    mutate(arguments or modules)
    return report()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
