"""A wrong setting ends `vn site` at the start with one sentence that says what to do, and never with a password."""

from pathlib import Path

import pytest

from tests.cli.given import Run

FILE = "/dev/null/x"  # below a file, so that nobody can create it
WRONG = [
    ({"VN_SITE_LANGUAGES": "/nope"}, "/nope is no directory with language files"),
    ({"VN_SITE_PROXIES": "zzz"}, "VN_SITE_PROXIES cannot be used: name IP addresses"),
    ({"VN_SITE_PROXIES": "10.0.0.5,10.0.0.0/8"}, "VN_SITE_PROXIES cannot be used: name IP addresses"),
    ({"VN_VIEWS_DIR": FILE}, "correct VN_VIEWS_DIR"),
    ({"VN_SITE_KEY_FILE": FILE}, "VN_SITE_KEY_FILE cannot be read"),
    ({"VN_SITE_DB": f"sqlite:///{FILE}"}, "VN_SITE_DB cannot be created at /dev/null/x"),
    ({"VN_SITE_DB": "sqlite:////dev"}, "VN_SITE_DB cannot be created at /dev"),
    ({"VN_SITE_DB": "sqlite://"}, "VN_SITE_DB names no file"),
    ({"VN_SITE_DB": "sqlite:///:memory:"}, "VN_SITE_DB names no file"),
    ({"VN_SITE_DB": "postgresql://u:canary@127.0.0.1:1/x"}, "the database that VN_SITE_DB names cannot be opened"),
    ({"VN_SITE_DB": "postgresql://127.0.0.1:1/x?password=canary"}, "the database that VN_SITE_DB names cannot be opened"),
    ({"VN_SITE_DB": "postgresql://u:canary@127.0.0.1:port/x"}, "VN_SITE_DB is not written as"),
]


@pytest.mark.parametrize(("wrong", "sentence"), WRONG, ids=[f"{name}={value}" for each, _ in WRONG for name, value in each.items()])
def test_a_wrong_setting_is_a_sentence(
    vn: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wrong: dict[str, str], sentence: str
) -> None:
    monkeypatch.chdir(tmp_path)
    code, out, err = vn("site", KAFKA_BOOTSTRAP_SERVERS="127.0.0.1:1", **wrong)
    assert (code, out) == (1, ""), err
    assert err.startswith("vn: ")
    assert err.count("\n") == 1
    assert sentence in err
    assert "canary" not in err


def test_a_file_that_is_no_database_is_a_sentence(vn: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "notes.txt").write_text("no database, but long enough to be taken for one\n" * 100, encoding="utf-8")
    code, _, err = vn("site", KAFKA_BOOTSTRAP_SERVERS="127.0.0.1:1", VN_SITE_DB=f"sqlite:///{tmp_path / 'notes.txt'}")
    assert code == 1
    assert "the database that VN_SITE_DB names cannot be opened" in err


def test_the_console_refuses_the_same_folder_and_proxies(vn: Run) -> None:
    for wrong in ({"VN_CONSOLE_PROXIES": "zzz"}, {"VN_CONSOLE_PROXIES": "", "VN_VIEWS_DIR": FILE}):
        code, _, err = vn("console", KAFKA_BOOTSTRAP_SERVERS="127.0.0.1:1", **wrong)
        assert code == 1, err
        assert next(reversed(wrong)) in err
