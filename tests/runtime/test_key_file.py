"""The key file: several keys, newest first; replaced atomically; read again when it changes."""

from pathlib import Path

import pytest

from processors.runtime.errors import Stop, UserError
from processors.runtime.key_file import KeyFile, add_key, read_seal


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "key"
    path.touch(0o600)
    path.write_text("ab" * 64 + "  # of 2026\n")
    return path


def test_a_new_key_closes_and_the_old_one_still_opens(path: Path) -> None:
    before = read_seal(path)
    after = add_key(path)
    assert after.open(before.close(b"text", "purpose"), "purpose") == b"text"
    assert after.key != before.key
    assert after.older == (before.key,)
    assert path.stat().st_mode & 0o077 == 0
    assert "of 2026" in path.read_text()


def test_a_change_is_seen_and_a_broken_file_changes_nothing(path: Path) -> None:
    keys = KeyFile(path)
    assert not keys.refresh()
    added = add_key(path)
    assert keys.refresh()
    assert keys.seal == added
    whole = path.read_text()
    path.write_text("half a ke")
    assert not keys.refresh()
    assert keys.seal == added
    path.unlink()
    assert not keys.refresh()
    path.touch(0o600)
    path.write_text(whole)
    assert not keys.refresh()


def test_a_file_that_cannot_be_replaced_says_what_to_do(path: Path) -> None:
    path.with_name("key.new").touch()
    with pytest.raises(UserError, match="openssl rand -hex 64"):
        add_key(path)


def test_a_file_that_ends_with_another_key_stops_whoever_reads_it(path: Path) -> None:
    keys = KeyFile(path)
    path.write_text("cd" * 64)
    with pytest.raises(Stop, match=r"ends with the key .* use that file"):
        keys.refresh()
