"""The name of the input being decided outlives the process."""

import signal
import subprocess
import sys
from pathlib import Path

from processors.runtime.run.current_input import MAX_DEATHS, CurrentInputFile, add_death


def test_a_name_is_found_by_the_next_process(tmp_path: Path) -> None:
    code = f"""
import os, signal
from pathlib import Path
from processors.runtime.run.current_input import CurrentInputFile
file = CurrentInputFile(Path({str(tmp_path / "in-work")!r}))
file.set("intake-0-17"); file.set(""); file.set("intake-0-18")
os.kill(os.getpid(), signal.SIGKILL)
"""
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == -signal.SIGKILL
    assert CurrentInputFile(tmp_path / "in-work").get() == "intake-0-18"


def test_nothing_is_in_work_after_a_clean_end_or_a_file_that_is_cut_short(tmp_path: Path) -> None:
    file = CurrentInputFile(tmp_path / "in-work")
    file.set("x" * 5_000)
    file.set("")
    file.close()
    assert CurrentInputFile(tmp_path / "in-work").get() == ""
    (tmp_path / "in-work").write_bytes(b"\xff\xffabc")
    assert CurrentInputFile(tmp_path / "in-work").get() == ""


def test_deaths_are_counted_over_all_processes_and_the_oldest_forgotten(tmp_path: Path) -> None:
    path = tmp_path / "deaths"
    assert add_death(path, "") == {}
    add_death(path, "a")
    assert add_death(path, "a") == {"a": 2}
    for number in range(MAX_DEATHS):
        add_death(path, f"n{number}")
    assert "a" not in add_death(path, "")
