"""The file that describes the vendors."""

from pathlib import Path

import pytest

from processors.domain.seal import Seal
from processors.providers.config import create_vendors, read_config
from processors.providers.smtp import SmtpVendor
from processors.providers.twilio.api import TwilioVendor
from processors.runtime.errors import UserError
from tests.providers.given import prompt

SMTP = """
[[vendor]]
kind = "smtp"
name = "{name}"
host = "{name}.example.org"
from_address = "notify@vn.example.org"
rate = 20
"""
DOCUMENT = Path(__file__).parents[2] / "docs" / "providers.md"


def written(folder: Path, text: str) -> Path:
    path = folder / "providers.toml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("names", "sentence"),
    [(("a", "b", "a"), "two vendors have the name a: give each its own"), (("site",), "give the vendor another one")],
)
def test_a_name_that_does_not_say_which_vendor_is_meant_is_refused(tmp_path: Path, names: tuple[str, ...], sentence: str) -> None:
    file = written(tmp_path, "".join(SMTP.format(name=each) for each in names))
    with pytest.raises(UserError, match=sentence):
        read_config(file)


def test_vendors_keep_the_order_of_the_file(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("secret\n")
    token.chmod(0o600)
    twilio = f"""
[[vendor]]
kind = "twilio"
name = "twilio"
account_sid = "AC1"
token_file = "{token}"
sender = "+18045550100"
public_url = "https://vn.example.org/twilio"
"""
    file = read_config(written(tmp_path, SMTP.format(name="relay-b") + twilio + SMTP.format(name="relay-a")))
    found = create_vendors(file, "smtp", prompt, lambda: 0, lambda: Seal(bytes(64)))
    assert [vendor.name for vendor, _ in found] == ["relay-b", "relay-a"]
    assert all(isinstance(vendor, SmtpVendor) and limits.rate == 20 for vendor, limits in found)
    ((vendor, _),) = create_vendors(file, "twilio", prompt, lambda: 0, lambda: Seal(bytes(64)))
    assert isinstance(vendor, TwilioVendor)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[[vendor]", "is not TOML: fix it there: "),
        ("", "vendor cannot be used: field required"),
        (SMTP.format(name="Relay A"), "vendor.0.name cannot be used: "),
        (SMTP.format(name="relay") + "color = 1\n", "vendor.0.color cannot be used: extra inputs are not permitted"),
        (SMTP.format(name="relay").replace("20", "0"), "vendor.0.rate cannot be used: "),
        (SMTP.format(name="relay") + 'unsubscribe_url = "http://x"\n', "vendor.0.unsubscribe_url cannot be used: "),
        (SMTP.format(name="relay").replace('"smtp"', '"pigeon"'), "vendor.0 cannot be used: "),
    ],
)
def test_a_file_that_cannot_be_used_is_told_in_a_sentence(text: str, sentence: str, tmp_path: Path) -> None:
    with pytest.raises(UserError) as error:
        read_config(written(tmp_path, text))
    assert sentence in str(error.value)
    assert "\n" not in str(error.value).removeprefix(str(tmp_path))


def test_a_secret_that_others_may_read_is_refused(tmp_path: Path) -> None:
    password = tmp_path / "password"
    password.write_text("hunter2")
    password.chmod(0o644)
    file = read_config(written(tmp_path, SMTP.format(name="relay") + f'password_file = "{password}"\n'))
    with pytest.raises(UserError, match=r"may be read by others \(mode 0644\): run `chmod 600 ") as error:
        create_vendors(file, "smtp", prompt, lambda: 0, lambda: Seal(bytes(64)))
    assert "hunter2" not in str(error.value)


def test_a_kind_that_the_file_has_not_is_told(tmp_path: Path) -> None:
    file = read_config(written(tmp_path, SMTP.format(name="relay")))
    with pytest.raises(UserError, match='no vendor of kind "twilio": add a'):
        create_vendors(file, "twilio", prompt, lambda: 0, lambda: Seal(bytes(64)))


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"cannot be read \(No such file or directory\): name the file"):
        read_config(tmp_path / "nothing.toml")
