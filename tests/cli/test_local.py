"""`vn local` without a broker."""

import json
from pathlib import Path

from tests.cli.given import Run


def test_status_of_a_folder_in_which_nothing_ran_is_1_and_leaves_no_folder(vn: Run, tmp_path: Path) -> None:
    code, out, _ = vn("local", "status", "--json", "--dir", str(tmp_path / "none"))
    assert code == 1
    assert json.loads(out)["answers"] is False
    code, _, _ = vn("local", "down", "--dir", str(tmp_path / "none"))
    assert code == 0
    assert not (tmp_path / "none").exists()


def test_a_folder_that_cannot_be_made_is_one_line(vn: Run, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    code, _, err = vn("local", "up", "--dir", str(tmp_path / "file" / "vn"))
    assert code == 1
    assert err.count("\n") == 1
    assert err.startswith("vn: cannot use the folder")


def test_an_unknown_option_is_wrong_usage(vn: Run) -> None:
    code, _, _ = vn("local", "up", "--folder", "x")
    assert code == 2
