"""`vn doctor` on a broker with users and rights: a hidden topic is not called missing, a refused password is not called no answer."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from socket import create_server
from typing import Any, Final

import pytest
from confluent_kafka.admin import AclBinding, AclOperation, AclPermissionType, AdminClient, ResourcePatternType, ResourceType  # type: ignore[attr-defined]

from processors.runtime.kafka.topics_admin import create_topics
from processors.runtime.local.broker import LocalBroker
from processors.runtime.local.jars import kafka_jars
from processors.runtime.local.programs import java
from processors.runtime.settings import Settings
from tests.broker.harness import environment

pytestmark = [pytest.mark.long, pytest.mark.broker, pytest.mark.timeout(300, method="signal")]

ROOT: Final = Path(__file__).parents[2]
SECURED: Final = """\
listeners=PLAINTEXT://{plain},SASL_PLAINTEXT://{secured},CONTROLLER://{controller}
advertised.listeners=PLAINTEXT://{plain},SASL_PLAINTEXT://{secured}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,SASL_PLAINTEXT:SASL_PLAINTEXT,CONTROLLER:PLAINTEXT
inter.broker.listener.name=PLAINTEXT
sasl.enabled.mechanisms=PLAIN
listener.name.sasl_plaintext.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required user_dedupe="secret";
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:ANONYMOUS
"""

PREFIX: Final = "vn."


def free_port() -> int:
    with create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


class SecuredBroker:
    """A broker with a listener for its administrator, and one on which the user `dedupe` has only the rights it was given."""

    def __init__(self, folder: Path) -> None:
        self.plain, self.secured, controller = (f"127.0.0.1:{free_port()}" for _ in range(3))
        self.broker = LocalBroker(folder, int(self.plain.partition(":")[2]), int(controller.partition(":")[2]), long_running=False)
        self.broker._properties += SECURED.format(plain=self.plain, secured=self.secured, controller=controller)

    def grant(self, kind: Any, name: str, operation: Any, pattern: Any = ResourcePatternType.LITERAL) -> None:
        binding = AclBinding(kind, name, pattern, "User:dedupe", "*", operation, AclPermissionType.ALLOW)
        admin = AdminClient({"bootstrap.servers": self.plain})
        for future in admin.create_acls([binding]).values():
            future.result(15)

    def doctor(self, *options: str, given: str = "secret") -> list[dict[str, Any]]:
        """Return the findings about broker, topics and rights, as the user `dedupe` has them."""
        variables = {
            "KAFKA_BOOTSTRAP_SERVERS": self.secured,
            "KAFKA_SECURITY_PROTOCOL": "SASL_PLAINTEXT",
            "KAFKA_SASL_MECHANISM": "PLAIN",
            "KAFKA_SASL_USERNAME": "dedupe",
            "KAFKA_SASL_PASSWORD": given,
            "VN_TOPIC_PREFIX": PREFIX,
        }
        command = [sys.executable, "-m", "processors", "doctor", "--json", *options]
        done = subprocess.run(command, env={**os.environ, **variables}, cwd=ROOT, capture_output=True, timeout=60, check=False)
        found = [json.loads(line) for line in done.stdout.splitlines()]
        assert found, done.stderr.decode()
        return [each for each in found if each["subject"] in {"broker", "topics", "rights"}]


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecuredBroker]:
    folder = tmp_path_factory.mktemp("secured")
    (folder / "log").mkdir()
    made = SecuredBroker(folder)
    made.broker.start(java(), kafka_jars(lambda _: None))
    try:
        made.broker.wait()
        with environment({"KAFKA_BOOTSTRAP_SERVERS": made.plain, "VN_TOPIC_PREFIX": PREFIX}):
            create_topics(Settings())
        yield made
    finally:
        made.broker.daemon.stop()


def wrong(found: list[dict[str, Any]]) -> list[str]:
    return [each["found"] for each in found if not each["ok"]]


def test_a_refused_password_is_not_silence(secured: SecuredBroker) -> None:
    (found,) = secured.doctor(given="guessed")
    assert (found["subject"], found["found"]) == ("broker", "the broker answers but does not know this user")
    assert "KAFKA_SASL_PASSWORD" in found["fix"]
    assert "guessed" not in json.dumps(found)


def test_what_may_not_be_seen_is_not_missing(secured: SecuredBroker) -> None:
    found = secured.doctor()
    assert not [each for each in wrong(found) if "missing" in each]
    assert [each for each in wrong(found) if each.startswith("this user may not see")]


def test_a_stage_is_told_each_right_that_it_lacks_until_it_has_all(secured: SecuredBroker) -> None:
    lacking = wrong(secured.doctor("--as", "dedupe"))
    assert f"this user may not see {PREFIX}events" in lacking
    assert not [each for each in lacking if f"{PREFIX}notifications" in each], "dedupe has nothing to do with it"
    for operation in (AclOperation.READ, AclOperation.WRITE):
        secured.grant(ResourceType.TOPIC, PREFIX, operation, ResourcePatternType.PREFIXED)
    (group, transactions) = secured.doctor("--as", "dedupe")[-2:]
    assert group["found"] == f"this user may not describe group {PREFIX}read"
    assert not transactions["ok"]
    secured.grant(ResourceType.GROUP, PREFIX, AclOperation.READ, ResourcePatternType.PREFIXED)
    secured.grant(ResourceType.TRANSACTIONAL_ID, PREFIX, AclOperation.WRITE, ResourcePatternType.PREFIXED)
    assert wrong(secured.doctor("--as", "dedupe")) == []
