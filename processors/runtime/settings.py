"""
Settings from the environment (contract §7); `Settings()` raises UserError if one is invalid.

`KAFKA_*` variables are librdkafka properties: `KAFKA_SECURITY_PROTOCOL` is `security.protocol`. An unknown `VN_` variable is
an error, so that a misspelled one is never silently ignored.
"""

import os
import re
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_core import PydanticCustomError
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from processors.domain.seal import Seal
from processors.runtime.errors import UserError
from processors.runtime.key_file import read_seal

CLASSIC: Final = "classic"  # the only group protocol that the runner supports (runtime/run/runner.py)

# Kubernetes sets variables like these in every container for each service of its namespace, whatever the service is called:
# KAFKA_SERVICE_HOST, KAFKA_SERVICE_PORT_TLS, KAFKA_PORT_9092_TCP_ADDR, VN_CONSOLE_PORT=tcp://10.0.0.1:80.
_SERVICE_LINK: Final = re.compile(r"\w+_(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)")
_SERVICE_URL: Final = re.compile(r"(tcp|udp|sctp)://\S+")


class Settings(BaseSettings):
    """The settings, read from the environment on construction."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True, env_ignore_empty=True)

    bootstrap_servers: str | None = Field(
        None, validation_alias="KAFKA_BOOTSTRAP_SERVERS", description="the brokers, as host:port,host:port"
    )
    redis_url: str | None = Field(
        None,
        validation_alias="REDIS_URL",
        repr=False,
        description="the store: redis://, rediss://, unix://, redis+sentinel://host:port,host:port/service/db, redis+cluster://host:port,host:port",
    )
    schema_registry_url: str | None = Field(
        None, validation_alias="SCHEMA_REGISTRY_URL", repr=False, description="Confluent framing with registered schemas, if set"
    )
    topic_prefix: str = Field(
        "vn.",
        validation_alias="VN_TOPIC_PREFIX",
        pattern=r"^[A-Za-z0-9._-]*$",
        description="prefix of every topic and consumer group",
    )
    partitions: int = Field(
        2, validation_alias="VN_PARTITIONS", ge=1, le=1024, description="how many partitions `vn topics create` gives the pipeline's topics"
    )
    rules_dir: Path | None = Field(None, validation_alias="VN_RULES_DIR", description="rule files added to the built-in ones")
    key_file: Path | None = Field(
        None,
        validation_alias="VN_KEY_FILE",
        description="keys of 64 random bytes in hex, one per line, newest first; mode 0600. They encrypt contact data and key the PINs",
    )
    metrics_port: int = Field(0, validation_alias="VN_METRICS_PORT", ge=0, le=65535, description="port of /metrics; 0 = off")
    clock: Literal["wall", "topic"] = Field(
        "wall", validation_alias="VN_CLOCK", description="`topic`: the time is the last record of vn.clock; never in production"
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", validation_alias="VN_LOG_LEVEL", description="the minimum level of a log line"
    )
    log_format: Literal["json", "console"] = Field(
        "json", validation_alias="VN_LOG_FORMAT", description="`json`: one JSON object per line; `console`: readable text"
    )
    faults: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        validation_alias="VN_FAULTS",
        description="fault points to hit in tests, as stage.point=action[:argument][@n], separated by commas; never in production",
    )
    views_dir: Path = Field(
        Path(".vn/views"),
        validation_alias="VN_VIEWS_DIR",
        description="the folder in which `vn console` and `vn site` keep their read models; rebuilt if missing",
    )
    console_user_header: str = Field(
        "",
        validation_alias="VN_CONSOLE_USER_HEADER",
        description="the header in which a sign-in proxy names the user; empty: loopback only",
    )
    console_states_header: str = Field(
        "X-Forwarded-States",
        validation_alias="VN_CONSOLE_STATES_HEADER",
        description="the header in which that proxy names the jurisdictions the user may see, separated by commas; none = all",
    )
    console_proxies: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        validation_alias="VN_CONSOLE_PROXIES",
        description="the IP addresses of that proxy, separated by commas; headers from any other address are ignored",
    )
    console_roles_header: str = Field(
        "",
        validation_alias="VN_CONSOLE_ROLES_HEADER",
        description="the header in which that proxy names the user's roles; empty: every user it lets in has every role",
    )
    console_url: str = Field("", validation_alias="VN_CONSOLE_URL", description="the public URL of `vn console`")
    console_oidc_issuer: str = Field(
        "", validation_alias="VN_CONSOLE_OIDC_ISSUER", description="the OpenID Connect issuer where users sign in; empty: none"
    )
    console_oidc_client_id: str = Field(
        "", validation_alias="VN_CONSOLE_OIDC_CLIENT_ID", description="the client id of `vn console` at that provider"
    )
    console_oidc_client_secret: SecretStr = Field(
        SecretStr(""),
        validation_alias="VN_CONSOLE_OIDC_CLIENT_SECRET",
        description="the client secret of `vn console` at that provider, if any",
    )
    console_states_claim: str = Field(
        "vn_states", validation_alias="VN_CONSOLE_STATES_CLAIM", description="the claim that names the states a user may see; * = all"
    )
    console_roles_claim: str = Field(
        "vn_roles",
        validation_alias="VN_CONSOLE_ROLES_CLAIM",
        description="the claim that names a user's roles: reviewer, operator, administrator, advocate",
    )
    site_db: str = Field(
        "sqlite:///.vn/site.sqlite",
        validation_alias="VN_SITE_DB",
        repr=False,
        pattern=r"^(sqlite|postgresql)://",
        description="the database in which `vn site` keeps unsent records and who owns which registration: sqlite:///PATH or postgresql://",
    )
    site_key_file: Path = Field(
        Path(".vn/site.key"),
        validation_alias="VN_SITE_KEY_FILE",
        description="the site's own keys, in the format of VN_KEY_FILE: they seal its database and its forms; created if missing",
    )
    site_source: Literal["IVINS", "VINE", "DOJ_VNS", "ICE_VNP", "AGENCY"] = Field(
        "IVINS", validation_alias="VN_SITE_SOURCE", description="the source of the registrations that `vn site` takes"
    )
    site_languages: Path | None = Field(
        None, validation_alias="VN_SITE_LANGUAGES", description="a folder of more languages for `vn site`, one file each, such as fr.toml"
    )
    site_proxies: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        validation_alias="VN_SITE_PROXIES",
        description="the IP addresses of the proxy in front of `vn site`, separated by commas: its X-Forwarded-For names the client",
    )
    otlp_endpoint: str | None = Field(
        None, validation_alias="OTEL_EXPORTER_OTLP_ENDPOINT", description="the OpenTelemetry collector; empty: no traces"
    )
    trace_share: float = Field(
        1.0, validation_alias="OTEL_TRACES_SAMPLER_ARG", ge=0, le=1, description="the fraction of traces that is kept, from 0 to 1"
    )

    def __init__(self, **values: object) -> None:
        known = {str(field.validation_alias) for field in type(self).model_fields.values()}
        if unknown := sorted(name for name in variables("VN_") if name not in known):
            raise UserError(f"unknown setting {', '.join(unknown)}: the settings are {', '.join(sorted(known))}")
        try:
            super().__init__(**values)  # type: ignore[arg-type]
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False)[0]
            name = ".".join(str(part) for part in first["loc"])
            raise UserError(f"{name} cannot be used: {first['msg'][:1].lower()}{first['msg'][1:]}") from None

    @field_validator("metrics_port", mode="before")
    @classmethod
    def _not_a_service_link(cls, value: object) -> object:
        """Ignore the variable that Kubernetes sets for a service named vn-metrics."""
        return 0 if isinstance(value, str) and _SERVICE_URL.fullmatch(value) else value

    @field_validator("faults", "console_proxies", "site_proxies", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return tuple(each.strip() for each in value.split(",")) if isinstance(value, str) else value

    @field_validator("console_proxies", "site_proxies", mode="after")
    @classmethod
    def _addresses(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        """Return the addresses as connections show them; a host name or a network would never be equal to one."""
        try:
            return tuple(str(ip_address(each)) for each in value if each)
        except ValueError:
            raise PydanticCustomError("address", "name IP addresses, separated by commas, such as 10.0.0.5") from None

    def kafka_properties(self) -> dict[str, str]:
        """Return the librdkafka properties given as `KAFKA_*` variables."""
        if self.bootstrap_servers is None:
            raise UserError("no broker is configured: run `vn local up`, or set KAFKA_BOOTSTRAP_SERVERS")
        named = {name[len("KAFKA_") :].lower().replace("_", "."): value for name, value in variables("KAFKA_").items() if value}
        if named.get("group.protocol", CLASSIC).lower() != CLASSIC:
            raise UserError("KAFKA_GROUP_PROTOCOL cannot be used: the stages share partitions by the classic protocol alone; leave it out")
        return named | {"bootstrap.servers": self.bootstrap_servers}

    def redis(self) -> str:
        """Return the URL of Redis."""
        if self.redis_url is None:
            raise UserError("no store is configured: run `vn local up`, or set REDIS_URL")
        return self.redis_url

    def seal(self) -> Seal:
        """Return the seal of contact data with the keys of `VN_KEY_FILE`; raises UserError if other users may read the file."""
        return read_seal(self.keys_at())

    def keys_at(self) -> Path:
        """Return the path of the key file; raises UserError if none is configured."""
        if self.key_file is None:
            raise UserError(
                "no key is configured: `vn local up` makes one, or set VN_KEY_FILE to a file of mode 0600 that holds the output of "
                "`openssl rand -hex 64`"
            )
        return self.key_file


def variables(prefix: str) -> dict[str, str]:
    """Return the environment variables with this prefix, without those that Kubernetes sets for services."""
    return {
        name: value
        for name, value in os.environ.items()
        if name.startswith(prefix) and not _SERVICE_LINK.fullmatch(name) and not (name.endswith("_PORT") and _SERVICE_URL.fullmatch(value))
    }
