"""
Makes the mutants of the copy, in its folder: `python -m tests.mutation.mutate`; prints `{mutant: whether its types are right}`.
"""

import json
import os
import sys
from contextlib import redirect_stdout
from pathlib import Path

from mutmut.__main__ import create_mutants, filter_mutants_with_type_checker
from mutmut.mutation.data import SourceFileMutationData
from mutmut.utils.file_utils import copy_also_copy_files, copy_src_dir, walk_mutatable_files


def made() -> dict[str, bool]:
    Path("mutants").mkdir(exist_ok=True)
    copy_src_dir()
    copy_also_copy_files()
    create_mutants(os.cpu_count() or 1)
    wrong = filter_mutants_with_type_checker()
    found: dict[str, bool] = {}
    for path in walk_mutatable_files():
        mutants = SourceFileMutationData(path=path)
        mutants.load()
        found |= {name: name not in wrong for name in mutants.exit_code_by_key}
    return found


if __name__ == "__main__":
    with redirect_stdout(sys.stderr):
        mutants = made()
    print(json.dumps(mutants))  # noqa: T201  this is its answer
