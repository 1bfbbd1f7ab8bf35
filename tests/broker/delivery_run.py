"""
Runs the whole pipeline with its providers on a real broker, against vendors that misbehave as scripted.

The stages before deliver run for as long as the world lasts; those that a run strikes are started for it. Each run has
registrants, an offender and messages of its own, so that its facts are told apart.
"""

import itertools
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar, Final
from urllib.request import urlopen

from confluent_kafka import murmur2
from prometheus_client.parser import text_string_to_metric_families

from processors.deliver.decide import STAGE
from processors.deliver.state import Delivery, registrant_of
from processors.domain.policy import Policy, policy_key
from processors.domain.time import iso
from processors.runtime.kafka.topics_admin import create_topics
from processors.runtime.kafka.user_client import UserClient
from processors.runtime.run.faults import Point
from processors.runtime.settings import Settings
from processors.runtime.wire.states import state_format
from processors.topics import DELIVER_STATE, OUTBOUND, POLICIES, RECEIPTS, REGISTRATIONS, RESPONSES, SUBMISSIONS
from tests.broker.delivery_vendors import PUBLIC_URL, TIMEOUT, TOKEN, Vendors
from tests.broker.fault_matrix import COMMAND, Copies
from tests.broker.harness import SHORT_TIMEOUTS, environment
from tests.delivery.oracle import Facts, Person, Submission, life

ROOT: Final = Path(__file__).parents[2]
UPSTREAM: Final = ("read", "identify", "dedupe", "validate", "match")
ORI: Final = "VA0430000"
POLICY: Final = {
    "merge.window": "0s",
    "quiet.hours": "none",
    "attempt.lease": "30s",
    "sms.retry": "2s",
    "email.retry": "2s",
    "voice.retry": "3s",
    "delivery.give_up": "40s",
    "voice.give_up": "40s",
    "receipt.wait": "6s",
}
PROVIDERS: Final = {"provider-email": "smtp", "provider-sms": "twilio", "provider-voice": "twilio"}
RECEIVER: Final = "provider-callbacks"
PIN: Final = "2580"
PARTITIONS: Final = 2
WAVE_SECONDS: Final = 3.0
END_SECONDS: Final = 150.0


@dataclass(slots=True)
class Provider(Copies):
    """A provider's process; `unit` names the channel that is struck, `port` serves its metrics."""

    port: int = field(init=False, default=0)
    spawned: int = field(init=False, default=0)

    def _spawn(self, log: Path, faults: str) -> "subprocess.Popen[bytes]":
        command = [
            sys.executable,
            "-m",
            "processors",
            "provider",
            PROVIDERS[self.unit],
            "--config",
            str(self.run.folder / "providers.toml"),
        ]
        self.port, self.spawned = free_port(), self.spawned + 1
        variables = {**os.environ, **self.run.environment, "VN_FAULTS": faults, "VN_LOG_LEVEL": "info", "VN_METRICS_PORT": str(self.port)}
        with log.open("wb") as file:
            return subprocess.Popen(command, env=variables, stderr=file, stdout=file, cwd=ROOT)

    def in_doubt(self) -> int:
        """Return vn_ambiguous_sends_total of this process."""
        with urlopen(f"http://127.0.0.1:{self.port}/metrics", timeout=10) as answer:
            families = list(text_string_to_metric_families(answer.read().decode()))
        return sum(int(each.value) for family in families for each in family.samples if each.name == "vn_ambiguous_sends_total")


@dataclass(slots=True)
class Receiver(Copies):
    """The process that receives callbacks, each copy on a port of its own; the vendor posts to them as through a balancer."""

    _ends: ClassVar[Mapping[str, int]] = {"kill": -signal.SIGKILL}  # an exception is answered 500, and the process goes on
    _ready: ClassVar[str] = "http://"

    def _spawn(self, log: Path, faults: str) -> "subprocess.Popen[bytes]":
        port = free_port()
        command = [sys.executable, "-m", "processors", "provider", "callbacks", "--config", str(self.run.folder / "providers.toml")]
        variables = {**os.environ, **self.run.environment, "VN_FAULTS": faults, "VN_LOG_LEVEL": "info", "PYTHONUNBUFFERED": "1"}
        with log.open("wb") as file:
            process = subprocess.Popen([*command, "--port", str(port)], env=variables, stderr=file, stdout=file, cwd=ROOT)
        self.run.world.vendors.callback_ports = (port, *self.run.world.vendors.callback_ports[:1])
        return process


class World:
    """A prefix on the cluster, the vendors, and the stages before deliver."""

    def __init__(self, addresses: Mapping[str, str], folder: Path) -> None:
        self.folder = folder
        self.environment = {
            **addresses,
            **SHORT_TIMEOUTS,
            "VN_TOPIC_PREFIX": f"w{os.getpid()}-{time.monotonic_ns()}.",
            "VN_PARTITIONS": str(PARTITIONS),
        }
        with environment(self.environment):
            settings = Settings()
            create_topics(settings)
            self.client = UserClient(settings)
        policies = [Policy(key=key, value=value, set_by="matrix", set_at=0) for key, value in POLICY.items()]
        self.client.send(POLICIES, ((policy_key(each), self.client.codec.encode(each)) for each in policies))
        self.vendors = Vendors(folder)
        self.runs = 0
        self._write_config()
        self._others = [self._start(each) for each in UPSTREAM]

    def _write_config(self) -> None:
        vendors, folder = self.vendors, self.folder
        token = folder / "token"
        token.write_text(TOKEN)
        token.chmod(0o600)
        (folder / "providers.toml").write_text(
            f'[[vendor]]\nkind = "smtp"\nname = "relay"\nhost = "127.0.0.1"\nport = {vendors.smtp_port}\nca_file = "{vendors.ca}"\n'
            f'from_address = "notify@vn.example.org"\nrate = 1000\ntimeout = {TIMEOUT}\n\n'
            f'[[vendor]]\nkind = "twilio"\nname = "twilio"\naccount_sid = "AC1"\ntoken_file = "{token}"\nsender = "+18045550100"\n'
            f'public_url = "{PUBLIC_URL}"\nbase_url = "http://127.0.0.1:{vendors.api_port}"\nrate = 1000\n'
            f"timeout = {TIMEOUT}\n"
        )

    def _start(self, unit: str) -> "subprocess.Popen[bytes]":
        variables = {**os.environ, **self.environment, "VN_LOG_LEVEL": "info"}
        with (self.folder / f"{unit}.log").open("wb") as file:
            return subprocess.Popen([*COMMAND, unit], env=variables, stderr=file, stdout=file, cwd=ROOT)

    def check(self) -> None:
        """Raise AssertionError if a process that nobody strikes has ended."""
        ended = [each.args for each in self._others if each.poll() is not None]
        assert not ended, f"ended by itself: {ended}"

    def close(self) -> None:
        for each in self._others:
            each.kill()
            each.wait()
        self.vendors.close()


def free_port() -> int:
    """Return a port on which nothing listens."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


@dataclass(slots=True)
class Run:
    """
    One run in a world: three registrants, waves of an emergency and a hearing, and the units that it strikes.

    `faults` names for a unit the fault and the points at which it strikes.
    """

    world: World
    faults: Mapping[str, tuple[str, Sequence[Point]]]
    name: str = field(init=False)
    folder: Path = field(init=False)
    environment: Mapping[str, str] = field(init=False)
    copies: dict[str, Copies] = field(init=False)
    people: dict[str, Person] = field(init=False)
    told: dict[Submission, frozenset[str]] = field(init=False, default_factory=dict)
    _offender: dict[str, Any] = field(init=False)
    _waves: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        self.world.runs += 1
        self.name = f"{self.world.runs:03}"
        self.folder = self.world.folder / self.name
        self.folder.mkdir()
        (self.folder / "providers.toml").symlink_to(self.world.folder / "providers.toml")
        self.environment = self.world.environment
        numbers = [f"+1804555{1000 + 5 * self.world.runs + number}" for number in range(4)]
        self.world.vendors.pins.update(dict.fromkeys(numbers, PIN))
        self._offender = {
            "identifiers": [{"scheme": "SID", "value": f"VA77{self.name}123"}],
            "name": {"given": "Thomas", "sur": "Walker"},
            "birth_date": "1979-02-11",
        }
        self.people = {
            self._registrant("A", 0): person(("sms", numbers[0]), ("email", f"a{self.name}@example.org"), ("voice", numbers[1])),
            self._registrant("B", 1): person(("sms", numbers[2]), ("email", f"b{self.name}@example.org")),
            self._registrant("C", 1): person(("voice", numbers[3]), ("email", f"c{self.name}@example.org")),
        }
        self.copies = {unit: self._copies(unit) for unit in ("deliver", "answer", *PROVIDERS, RECEIVER)}

    def _registrant(self, name: str, partition: int) -> str:
        """Return the id of a registrant whose records lie in this partition: every copy of every provider has something to send."""
        tried = (f"R{self.name}-{name}{number}" for number in itertools.count())
        return next(each for each in tried if murmur2(each.encode(), PARTITIONS) == partition)

    def _copies(self, unit: str) -> Copies:
        fault, points = self.faults.get(unit, ("kill", ()))
        kind: Any = Provider if unit in PROVIDERS else Receiver if unit == RECEIVER else Copies
        made: Copies = kind(self, unit, tuple(points), fault)
        return made

    # -- what goes in

    def register(self) -> None:
        offender = self._offender
        for registrant, each in self.people.items():
            contacts = [{"channel": channel, "address": address, "verified": True} for channel, address in sorted(each.contacts)]
            registration = {
                "registration_id": f"V-{registrant}",
                "registrant_id": registrant,
                "source": "VINE",
                "offender": offender,
                "language": "en",
                "time_zone": "America/New_York",
                "contacts": contacts,
                "pin": each.pin,
                "created_at": "2026-01-01T12:00:00Z",
            }
            self.world.client.send(REGISTRATIONS, [(f"V-{registrant}", json.dumps(registration).encode())])

    def send_wave(self) -> None:
        """Submit an escape and a hearing, news to everybody registered."""
        self._waves += 1
        now = int(time.time() * 1000)
        minute = 60_000 * self._waves
        escape = {
            "event_type": "Jail",
            "event_subtype": "Escape",
            "notification_type": "Status Update",
            "action_at": iso(now - 10 * minute),
        }
        hearing = {
            "event_type": "Court",
            "event_subtype": "Court Hearing",
            "notification_type": "Hearing Notice",
            "action_at": iso(now + 30 * 86_400_000 + 10 * minute),
            "case": {"number": f"CR26-{self._waves}", "court": "Riverside Circuit Court"},
        }
        for kind, event in (("E", escape), ("H", hearing)):
            message_id = f"M{self.name}-{self._waves}{kind}"
            submission = {
                "message_id": message_id,
                "agency": {"ori": ORI, "name": "Riverside Jail", "state": "VA"},
                "notification_subtypes": [{"subtype": "Do Not Validate", "validations": ["Date"]}],
                "offenders": [self._offender],
                **event,
            }
            self.world.client.send(SUBMISSIONS, [(ORI, json.dumps(submission).encode())])
            self.told[ORI, message_id] = frozenset(self.people)

    # -- while it runs

    def tend(self) -> None:
        """Bring back what a fault has ended or stopped."""
        self.world.check()
        for each in self.copies.values():
            each.tend()

    def tend_for(self, seconds: float, until: Callable[[], bool] = lambda: False) -> bool:
        """Tend for so long; return at once if the condition holds, and whether it does."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.tend()
            if until():
                return True
            time.sleep(0.1)
        return until()

    @property
    def missed(self) -> list[str]:
        """The points that were not struck yet."""
        return [f"{unit}.{point}" for unit, (_, points) in self.faults.items() for point in points if point not in self.copies[unit].struck]

    def finish(self) -> Facts:
        """Wait until everything has ended and the processes have stopped; return the facts."""
        self.tend_for(END_SECONDS, self._over)
        counted = self._counted()
        for each in self.copies.values():
            each.stop()
        return replace(self.facts(), counted=counted)

    def _counted(self) -> int | None:
        """Return how many sends the providers counted as in doubt; None if one of them was started again, and counts from 0."""
        providers = [each for each in self.copies.values() if isinstance(each, Provider)]
        return sum(each.in_doubt() for each in providers) if all(each.spawned == 1 for each in providers) else None

    def _over(self) -> bool:
        """
        Whether every submission is answered and nothing is under way, no callback and no receipt that deliver has not read.

        It is looked at from time to time, since it reads everything.
        """
        time.sleep(0.5)
        facts = self.facts()
        answered = {(each.ori, each.message_id) for each in facts.responses}
        open_contacts = [each for delivery in facts.deliveries for each in delivery.contacts.values() if each.state in {"due", "trying"}]
        settled = not self.world.vendors.posting and not any(life(facts))
        return answered >= self.told.keys() and not open_contacts and settled

    def kill(self) -> None:
        for each in self.copies.values():
            each.kill()

    # -- what came of it

    def facts(self) -> Facts:
        client, mine = self.world.client, f"R{self.name}-"
        outbound = [each for topic in OUTBOUND.values() for each in client.values(topic) if each.registrant_id.startswith(mine)]
        return Facts(
            people=self.people,
            told=self.told,
            outbound=tuple(outbound),
            sends=tuple(each for each in self.world.vendors.sends if each.reference.startswith(mine)),
            receipts=tuple(each for each in client.values(RECEIPTS) if each.reference.startswith(mine)),
            responses=tuple(each for each in client.values(RESPONSES) if each.message_id.startswith(f"M{self.name}-")),
            deliveries=tuple(self._deliveries(mine)),
            callbacks=tuple(each for each in self.world.vendors.answered if each.reference.startswith(mine)),
        )

    def _deliveries(self, mine: str) -> Iterator[Delivery]:
        decode = self.world.client.codec.states(state_format(STAGE))
        for key, value in self.world.client.latest(DELIVER_STATE).items():
            if value is not None and key.startswith("=") and registrant_of(key[1:]).startswith(mine):
                state = decode(value)
                if isinstance(state, Delivery):
                    yield state


def person(*contacts: tuple[str, str]) -> Person:
    return Person(frozenset(contacts), PIN)


@contextmanager
def running(world: World, faults: Mapping[str, tuple[str, Sequence[Point]]]) -> Iterator[Run]:
    """Start a run, its registrants registered; whatever happens, none of its processes is left."""
    run = Run(world, faults)
    try:
        run.register()
        yield run
    finally:
        run.kill()
