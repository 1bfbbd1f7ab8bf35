"""
The file that describes the vendors, in order of preference; docs/providers.md explains it.

It holds no passwords but names the files that do, each of mode 0600.
"""

import stat
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from processors.domain.registration import Channel
from processors.domain.seal import Seal
from processors.domain.unsubscription import SITE
from processors.providers.dispatch import VendorLimits
from processors.providers.dkim import Signer
from processors.providers.mail import MailSender
from processors.providers.outcome import Vendor
from processors.providers.smtp import SmtpServer, SmtpVendor
from processors.providers.ssml import Prompt
from processors.providers.twilio.api import Account, TwilioVendor
from processors.runtime.errors import UserError


class VendorConfig(BaseModel):
    """The settings that every vendor has."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(pattern=r"^[a-z0-9-]{1,40}$")
    timeout: float = Field(30.0, gt=0, le=120)
    rate: float = Field(50.0, gt=0, le=10_000)
    connections: int = Field(10, ge=1, le=200)

    @property
    def limits(self) -> VendorLimits:
        return VendorLimits(self.rate, self.connections)


class SmtpConfig(VendorConfig):
    """An SMTP server."""

    kind: Literal["smtp"]
    host: str
    port: int = Field(587, ge=1, le=65535)
    username: str = ""
    password_file: Path | None = None
    ca_file: Path | None = None
    from_address: str = Field(pattern=r"^[^@\s<>]+@[^@\s<>]+$")
    from_name: str = ""
    bounces_to: str = ""
    unsubscribe_url: str = Field("", pattern=r"^(https://[^\s<>?#]+)?$")
    dkim_domain: str = ""
    dkim_selector: str = ""
    dkim_key_file: Path | None = None


class TwilioConfig(VendorConfig):
    """A Twilio account."""

    kind: Literal["twilio"]
    account_sid: str
    token_file: Path
    sender: str
    public_url: str = Field(pattern=r"^https?://[^\s<>?#]+[^/]$")
    base_url: str = "https://api.twilio.com"


AnyVendorConfig = Annotated[SmtpConfig | TwilioConfig, Field(discriminator="kind")]
CHANNELS_BY_KIND: Final[dict[str, tuple[Channel, ...]]] = {"smtp": ("email",), "twilio": ("sms", "voice")}


class ProvidersFile(BaseModel):
    """The whole file that describes the vendors."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    vendor: tuple[AnyVendorConfig, ...] = Field(min_length=1)

    @field_validator("vendor")
    @classmethod
    def _named_apart(cls, found: tuple[AnyVendorConfig, ...]) -> tuple[AnyVendorConfig, ...]:
        """Refuse an ambiguous name: after a crash the vendor is identified by it."""
        names = [each.name for each in found]
        if twice := next((name for name in names if names.count(name) > 1), None):
            raise ValueError(f"two vendors have the name {twice}: give each its own")
        if SITE in names:
            raise ValueError(f"receipts of the public's site use the name {SITE}: give the vendor another one")
        return found


def read_config(path: Path) -> ProvidersFile:
    """Return the contents of the file that describes the vendors; raises UserError if it is unusable."""
    try:
        return ProvidersFile.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise UserError(f"{path} cannot be read ({error.strerror}): name the file that describes the vendors with --config") from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UserError(f"{path} is not TOML: fix it there: {error}") from None
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        setting = ".".join(str(part) for part in first["loc"] if part not in {"smtp", "twilio"})
        raise UserError(f"{path}: {setting} cannot be used: {in_words(first['msg'])}") from None


def in_words(message: str) -> str:
    """Return pydantic's message about a value, as the end of a sentence."""
    plain = message.removeprefix("Value error, ")
    return plain[:1].lower() + plain[1:]


def read_secret(path: Path) -> str:
    """Return the contents of a file of mode 0600; raises UserError if others may read it."""
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        text = path.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise UserError(f"{path} cannot be read ({error.strerror}): name a file that exists") from None
    if mode & 0o077:
        raise UserError(f"{path} may be read by others (mode {mode:04o}): run `chmod 600 {path}`")
    return text


def create_vendors(
    file: ProvidersFile, kind: str, prompt: Prompt, now: Callable[[], int], seal: Callable[[], Seal]
) -> tuple[tuple[Vendor, VendorLimits], ...]:
    """Return the vendors of one kind, in the order of the file; raises UserError if there is none."""
    found = [(create_vendor(entry, prompt, now, seal), entry.limits) for entry in file.vendor if entry.kind == kind]
    if not found:
        raise UserError(f'the file describes no vendor of kind "{kind}": add a [[vendor]] with kind = "{kind}"')
    return tuple(found)


def create_vendor(entry: Any, prompt: Prompt, now: Callable[[], int], seal: Callable[[], Seal]) -> Vendor:
    """Return the vendor that an entry describes."""
    if isinstance(entry, SmtpConfig):
        server = SmtpServer(
            entry.host,
            entry.port,
            entry.username,
            "" if entry.password_file is None else read_secret(entry.password_file),
            entry.timeout,
            None if entry.ca_file is None else str(entry.ca_file),
        )
        link_seal = seal() if entry.unsubscribe_url else None
        sender = MailSender(entry.from_address, entry.from_name, entry.bounces_to, entry.unsubscribe_url, link_seal)
        return SmtpVendor(entry.name, server, sender, now, signer(entry))
    account = Account(entry.account_sid, read_secret(entry.token_file), entry.sender, entry.public_url, entry.base_url, entry.timeout)
    return TwilioVendor(entry.name, account, prompt, now)


def signer(entry: SmtpConfig) -> Signer | None:
    """Return the DKIM signer of the emails; None if no key is configured."""
    if entry.dkim_key_file is None:
        return None
    if not entry.dkim_domain or not entry.dkim_selector:
        raise UserError(f"vendor {entry.name}: dkim_key_file needs dkim_domain and dkim_selector: name both")
    try:
        return Signer.load(entry.dkim_domain, entry.dkim_selector, read_secret(entry.dkim_key_file).encode())
    except ValueError as error:
        raise UserError(f"{entry.dkim_key_file} holds no usable key ({error}): make an RSA or Ed25519 key in PEM") from None
