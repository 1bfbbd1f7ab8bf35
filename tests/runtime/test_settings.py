"""The settings in the environment, and the sentence about a wrong one."""

from pathlib import Path

import pytest

from processors.runtime.errors import UserError
from processors.runtime.settings import Settings

MISSING = (
    "VN_TOPIC_PREFIX",
    "VN_KEY_FILE",
    "KAFKA_BOOTSTRAP_SERVERS",
    "REDIS_URL",
    "VN_FAULTS",
    "VN_PARTITIONS",
    "VN_LOG_LEVEL",
    "VN_CLOCK",
)


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in MISSING:
        monkeypatch.delenv(name, raising=False)


def test_a_misspelt_setting_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VN_TOPIK_PREFIX", "x.")
    with pytest.raises(UserError, match="unknown setting VN_TOPIK_PREFIX"):
        Settings()


@pytest.mark.parametrize(
    ("name", "value"), [("VN_METRICS_PORT", "70000"), ("VN_CLOCK", "moon"), ("VN_PARTITIONS", "0"), ("VN_TOPIC_PREFIX", "a b")]
)
def test_a_value_that_cannot_be_used_is_named_and_not_shown(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(UserError, match=f"^{name} cannot be used") as caught:
        Settings()
    assert value not in str(caught.value) or value == "0"


def test_what_is_allowed_is_said_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VN_TOPIC_PREFIX", "a b")
    with pytest.raises(UserError, match="A-Za-z0-9"):
        Settings()


def test_kafka_variables_are_librdkafka_properties(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", "a:1,b:2")
    monkeypatch.setenv("KAFKA_SECURITY_PROTOCOL", "SASL_SSL")
    monkeypatch.setenv("KAFKA_SASL_MECHANISMS", "")
    found = Settings().kafka_properties()
    assert found["bootstrap.servers"] == "a:1,b:2"
    assert found["security.protocol"] == "SASL_SSL"
    assert "sasl.mechanisms" not in found


def test_without_a_broker_or_store_it_says_how_to_get_one() -> None:
    with pytest.raises(UserError, match="vn local up"):
        Settings().kafka_properties()
    with pytest.raises(UserError, match="vn local up"):
        Settings().redis()
    with pytest.raises(UserError, match="vn local up"):
        Settings().seal()


def test_a_key_that_others_may_read_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_text("ab" * 64 + "\n")
    path.chmod(0o644)
    monkeypatch.setenv("VN_KEY_FILE", str(path))
    with pytest.raises(UserError, match="chmod 600"):
        Settings().seal()
    path.chmod(0o600)
    assert Settings().seal().key == b"\xab" * 64
    path.write_text("ab" * 63)
    with pytest.raises(UserError, match="64 random bytes"):
        Settings().seal()


def test_passwords_are_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDIS_URL", "redis://user:canary@localhost")
    assert "canary" not in repr(Settings())


def test_every_setting_says_what_it_is() -> None:
    assert all(field.description for field in Settings.model_fields.values())


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("KAFKA_SERVICE_HOST", "10.96.0.17"),
        ("KAFKA_SERVICE_PORT", "9092"),
        ("KAFKA_SERVICE_PORT_TLS", "9093"),
        ("KAFKA_PORT", "tcp://10.96.0.17:9092"),
        ("KAFKA_PORT_9092_TCP", "tcp://10.96.0.17:9092"),
        ("KAFKA_PORT_9092_TCP_ADDR", "10.96.0.17"),
        ("KAFKA_PORT_9092_TCP_PROTO", "tcp"),
        ("KAFKA_BOOTSTRAP_PORT_9092_TCP_PORT", "9092"),
        ("VN_CONSOLE_SERVICE_HOST", "10.96.0.18"),
        ("VN_CONSOLE_PORT", "tcp://10.96.0.18:80"),
        ("VN_CONSOLE_PORT_80_TCP", "tcp://10.96.0.18:80"),
        ("VN_METRICS_PORT", "tcp://10.96.0.19:9400"),
        ("VN_METRICS_PORT_9400_TCP_ADDR", "10.96.0.19"),
    ],
)
def test_what_kubernetes_sets_for_a_service_is_no_setting(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", "broker:9092")
    before = Settings()
    monkeypatch.setenv(name, value)
    settings = Settings()
    assert settings == before
    assert settings.kafka_properties() == before.kafka_properties()


def test_a_port_that_somebody_set_is_a_setting_still(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VN_METRICS_PORT", "9400")
    assert Settings().metrics_port == 9400
    monkeypatch.setenv("VN_CONSOLE_PORT", "8000")
    with pytest.raises(UserError, match="unknown setting VN_CONSOLE_PORT"):
        Settings()
