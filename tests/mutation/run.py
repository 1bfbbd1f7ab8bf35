"""
Mutation testing of what decides transitions, dates, deadlines and duplicates: `make mutants`.

A copy of the project is made under `mutants/`, mutmut changes one thing after another in it, and the tests must notice.
Whatever they do not notice must be explained in docs/mutation.md; exit 1 where a survivor is not.

The copy differs in one way. mutmut leaves decorated functions alone; so `@property` and `@lru_cache` are written as
assignments after a function of another name. Outside `processors/rules` `@lru_cache` is taken off, since a mutant there
runs in a copy of a process that has asked the code as it is, and would be given its answers.

    python -m tests.mutation.run [PATTERN…]     mutants of these names only, such as processors.ingest.dates.*
    python -m tests.mutation.run --report       the figures and survivors of the last run
"""

import ast
import json
import re
import shutil
import subprocess
import sys
import tomllib
from collections import Counter
from fnmatch import fnmatch
from pathlib import Path

from tests.mutation.page import ROOT, Mutant, explained

COPY = ROOT / "mutants"
COPIED = ("processors", "tests", "docs", "examples", "schemas", "pyproject.toml")
MADE_ONCE = "processors.rules."  # what these make is kept by the tests, so that every mutant needs a process where nothing is yet
VERDICTS = {0: "survived", 1: "killed", 3: "killed", 33: "no tests", 36: "timeout", 37: "types", -24: "timeout", None: "not run"}
FORK, SERVER = 'process_isolation = "fork"', 'process_isolation = "forkserver"'


def scope() -> list[str]:
    return list(tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["mutmut"]["only_mutate"])


def copied() -> None:
    """The project lies under `mutants/` anew, without what was known of the mutants before."""
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
    """Runs the mutants of these names; those whose effect outlives a test each in a process that has made nothing yet."""
    config = COPY / "pyproject.toml"
    text = config.read_text()
    for part, isolation in ((False, FORK), (True, SERVER)):
        names = [each for each in patterns if each.startswith(MADE_ONCE) is part]
        if names:
            config.write_text(text.replace(FORK, isolation))
            subprocess.run([Path(sys.executable).parent / "mutmut", "run", "--max-children", "2", *names], cwd=COPY, check=True)
    config.write_text(text)


def found(path: str) -> dict[str, str]:
    """Return how each mutant of a file ended, by its name."""
    meta = COPY / "mutants" / f"{path}.meta"
    if not meta.exists():
        return {}
    ends = json.loads(meta.read_text())["exit_code_by_key"]
    return {name: VERDICTS.get(code, f"exit {code}") for name, code in ends.items()}


def shown(name: str) -> Mutant:
    """Return what a mutant changes: the function, its line, and what became of it."""
    diff = subprocess.run([Path(sys.executable).parent / "mutmut", "show", name], cwd=COPY, check=True, capture_output=True, text=True)
    lines = [line for line in diff.stdout.splitlines() if not line.startswith(("---", "+++"))]
    before = " ".join(line[1:].strip() for line in lines if line.startswith("-"))
    after = " ".join(line[1:].strip() for line in lines if line.startswith("+"))
    module, _, mangled = name.rpartition(".")
    function = re.sub(r"__mutmut_\d+$", "", mangled).removeprefix("x_").removeprefix("xǁ").replace("ǁ", ".").removesuffix("_")
    return Mutant(f"{module.removeprefix('processors.')}:{function}", before, after)


def report() -> int:
    """Prints the figures per module and every survivor that docs/mutation.md does not explain; 1 where there is one."""
    table = explained()
    strangers, seen = [], set()
    total: Counter[str] = Counter()
    sys.stdout.write(f"{'module':<28}{'mutants':>9}{'killed':>8}{'timeout':>9}{'survived':>10}{'other':>7}\n")
    for path in scope():
        ends = found(path)
        counts = Counter(ends.values())
        total += counts
        sys.stdout.write(figures(path.removeprefix("processors/").removesuffix(".py"), counts))
        for name in (each for each, end in ends.items() if end not in {"killed", "timeout", "not run"}):
            mutant = shown(name)
            seen.add(mutant)
            if mutant not in table:
                strangers.append((name, ends[name], mutant))
    sys.stdout.write(figures("all", total))
    for name, end, mutant in strangers:
        sys.stdout.write(f"\n{end}, not explained: {name}\n  {mutant.where}\n- {mutant.before}\n+ {mutant.after}\n")
    if not total["not run"]:
        for mutant in table - seen:
            sys.stdout.write(f"\nexplained, but no survivor: {mutant.where}\n- {mutant.before}\n+ {mutant.after}\n")
    return 1 if strangers else 0


def figures(name: str, counts: "Counter[str]") -> str:
    other = counts.total() - counts["killed"] - counts["timeout"] - counts["survived"]
    return f"{name:<28}{counts.total():>9}{counts['killed']:>8}{counts['timeout']:>9}{counts['survived']:>10}{other:>7}\n"


def main(arguments: list[str]) -> int:
    if arguments == ["--report"]:
        return report()
    modules = [f"{path.removesuffix('.py').replace('/', '.')}.*" for path in scope()]
    wanted = [each for each in modules if any(fnmatch(each, pattern) for pattern in arguments)] or arguments or modules
    if not arguments or not COPY.exists():
        copied()
    mutate(wanted)
    return report()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
