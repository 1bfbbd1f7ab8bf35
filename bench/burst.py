"""
One event, thousands of registrants by email, and a provider that is killed again and again: `python -m bench.burst [N]`.

Everything is real: broker, store, all stages, `vn provider smtp`, and an SMTP server with TLS that logs what it receives. The
provider is killed (`kill -9`) ten times, evenly over the burst, and restarted at once; its successor gets its partitions after
the session timeout of ten seconds. Then the server's log is compared with what was written and with the receipts.

An ordinary message that may or may not have been sent is not sent again; with --emergency it is, once.
"""

import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Annotated, Any, Final

import msgspec
import psutil
import typer

from bench.cluster import DEFAULT_PARTITIONS, RUN, Deployment, bench_cluster, until
from bench.memory import POLICIES
from bench.whole import wait_until_idle
from processors.domain.external import ReceiptForm
from processors.domain.notification import Outbound
from processors.domain.sending import AMBIGUOUS, SENT_AGAIN
from processors.domain.time import iso
from processors.pipeline import PIPELINE
from processors.runtime.clock import wall_time
from processors.topics import OUTBOUND, RECEIPTS, REGISTRATIONS, SUBMISSIONS

ORI: Final = "VA0430000"
OFFENDER: Final[dict[str, Any]] = {
    "identifiers": [{"scheme": "SID", "value": "VA7100001"}],
    "name": {"given": "Thomas", "sur": "Walker"},
    "birth_date": "1979-02-11",
}
SOON: Final = "1s"  # the lease of the confirmations, which nobody is to send
LONG: Final = 400.0  # seconds for the whole burst
CONNECTIONS: Final = 20


@dataclass(frozen=True, slots=True)
class Burst:
    """The result; seconds from the submission to the last receipt."""

    registrants: int
    kills: int
    received: Counter[str]
    written: frozenset[str]
    in_doubt: frozenset[str]
    seconds: float

    @property
    def missing(self) -> frozenset[str]:
        """The attempts that never reached the server."""
        return self.written - self.received.keys()

    @property
    def doubled(self) -> frozenset[str]:
        """The attempts that reached it more than once."""
        return frozenset(reference for reference, count in self.received.items() if count > 1)

    @property
    def is_exact(self) -> bool:
        """Whether only attempts reported as in doubt are missing or doubled, and nobody else was notified."""
        return (
            len(self.written) == self.registrants and self.received.keys() <= self.written and self.missing | self.doubled <= self.in_doubt
        )


class Server:
    """The SMTP server, and the file that describes it to the provider."""

    def __init__(self, folder: Path) -> None:
        self._log, certificates = folder / "mailbox.log", folder / "ca.pem"
        command = [sys.executable, "-m", "bench.mailbox", str(self._log), str(certificates)]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        if self._process.stdout is None:
            raise RuntimeError("the SMTP server has no output")
        port = self._process.stdout.readline().strip()
        self.config = folder / "providers.toml"
        self.config.write_text(
            f'[[vendor]]\nkind = "smtp"\nname = "relay"\nhost = "127.0.0.1"\nport = {port}\nca_file = "{certificates}"\n'
            f'from_address = "notify@vn.example.org"\nrate = 10000\nconnections = {CONNECTIONS}\n'
        )

    def received(self) -> Counter[str]:
        """Return how often each attempt was received."""
        return Counter(line.split()[0] for line in self._log.read_text(encoding="utf-8").splitlines())

    def count(self) -> int:
        return self._log.read_bytes().count(b"\n")

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()


def registrations(count: int) -> Iterator[tuple[str, bytes]]:
    """Yield registrations by email for the one offender."""
    for number in range(count):
        yield (
            f"V-{number}",
            msgspec.json.encode(
                {
                    "registration_id": f"V-{number}",
                    "registrant_id": f"R-{number}",
                    "source": "VINE",
                    "offender": OFFENDER,
                    "language": "es" if number % 5 == 0 else "en",
                    "time_zone": "America/New_York",
                    "contacts": [{"channel": "email", "address": f"r{number}@example.org", "verified": True}],
                    "created_at": "2026-01-01T12:00:00Z",
                }
            ),
        )


def submission(*, emergency: bool) -> bytes:
    """Return the event."""
    subtype = {"event_subtype": "Escape"} if emergency else {"event_subtype": "Recapture"}
    return msgspec.json.encode(
        {
            "message_id": "M-1",
            "agency": {"ori": ORI, "name": "Riverside Jail", "state": "VA"},
            "event_type": "Jail",
            "notification_type": "Status Update",
            **subtype,
            "notification_subtypes": [{"subtype": "Do Not Validate", "validations": ["Date"]}],
            "action_at": iso(wall_time() - 600_000),
            "offenders": [OFFENDER],
        }
    )


def attempts(deployment: Deployment, *, news: bool) -> list[Outbound]:
    found: Iterator[Outbound] = deployment.client.values(OUTBOUND["email"])
    return [each for each in found if (each.event is not None) == news]


def prepare(deployment: Deployment, count: int) -> None:
    """Start the stages and register everybody; their confirmations count as delivered, and are too old to be sent."""
    deployment.set_policies({**POLICIES, "attempt.lease": SOON})
    for group, stages in PIPELINE.items():
        names = [unit.name for unit in stages]
        for name in [group] if group in names else names:
            deployment.start(name, *RUN, name)
    deployment.wait_until_settled()
    deployment.client.send(REGISTRATIONS, registrations(count))
    wait_until_idle(deployment)
    until("everybody has a confirmation", lambda: len(attempts(deployment, news=False)) >= count, interval=2.0)
    encode, at = deployment.client.codec.encode, wall_time()
    references = {each.reference for each in attempts(deployment, news=False)}
    receipts = [ReceiptForm(reference=each, status="delivered", occurred_at=at, provider="relay") for each in references]
    deployment.client.send(RECEIPTS, ((each.reference, encode(each)) for each in receipts))
    deployment.set_policies({"attempt.lease": "15m"})
    wait_until_idle(deployment)


def start_provider(deployment: Deployment, server: Server) -> psutil.Popen:
    return deployment.start("provider", sys.executable, "-m", "processors", "provider", "smtp", "--config", str(server.config))


def measure(deployment: Deployment, server: Server, count: int, kills: int, *, emergency: bool) -> Burst:
    """Submit the event, kill the provider this many times, and wait for the last receipt."""
    process, killed = start_provider(deployment, server), 0
    until("the provider is ready", lambda: b'"ready"' in deployment.log("provider"))
    began = monotonic()
    deployment.client.send(SUBMISSIONS, [(ORI, submission(emergency=emergency))])
    while killed < kills:
        until("the burst goes on", lambda: server.count() >= (killed + 1) * count // (kills + 1), LONG)  # noqa: B023  looked at now
        process.kill()
        process.wait()
        killed += 1
        process = start_provider(deployment, server)
    watch = Receipts(deployment)
    until("every attempt has a receipt", lambda: watch.seen() >= count, LONG, 0.5)
    seconds = monotonic() - began
    return Burst(
        count,
        killed,
        server.received(),
        frozenset(each.reference for each in attempts(deployment, news=True)),
        watch.in_doubt(),
        seconds,
    )


class Receipts:
    """The provider's receipts on the news."""

    def __init__(self, deployment: Deployment) -> None:
        self._deployment = deployment

    def _values(self) -> Iterator[ReceiptForm]:
        return (each for each in self._deployment.client.values(RECEIPTS) if each.status != "delivered")

    def seen(self) -> int:
        return len({each.reference for each in self._values()})

    def in_doubt(self) -> frozenset[str]:
        """Return the attempts whose receipts say that the outcome is unknown."""
        return frozenset(each.reference for each in self._values() if (each.detail or "").startswith((SENT_AGAIN, AMBIGUOUS)))


def report(found: Burst, what: str) -> str:
    """Return the result in a sentence."""
    return (
        f"{what} for {found.registrants:,} registrants by SMTP, the provider killed {found.kills} times: {found.seconds:.0f} s to the last "
        f"receipt, {found.registrants / found.seconds:.0f} a second. {len(found.in_doubt)} in doubt, of them "
        f"{len(found.missing & found.in_doubt)} not sent and {len(found.doubled & found.in_doubt)} sent twice; beyond those "
        f"{len(found.missing - found.in_doubt)} missing, {len(found.doubled - found.in_doubt)} doubled."
    )


def main(
    count: Annotated[int, typer.Argument(metavar="N", min=100, help="Registrants.")] = 10_000,
    *,
    kills: Annotated[int, typer.Option(min=0, help="How often the provider is killed.")] = 10,
    emergency: Annotated[bool, typer.Option(help="An escape, which is sent again if in doubt.")] = False,
) -> None:
    """Measure the burst and print the result; exit 1 if something is missing or doubled without a receipt that says so."""
    with bench_cluster() as here:
        deployment = here.deploy("burst.", DEFAULT_PARTITIONS)
        server = Server(here.folder)
        try:
            began = monotonic()
            prepare(deployment, count)
            print(f"{count:,} registrants after {monotonic() - began:.0f} s", flush=True)
            found = measure(deployment, server, count, kills, emergency=emergency)
        finally:
            deployment.stop()
            server.stop()
    print(report(found, "An emergency" if emergency else "News"))
    raise typer.Exit(not found.is_exact)


if __name__ == "__main__":
    typer.run(main)
