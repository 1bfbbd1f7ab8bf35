"""`vn provider`: delivery providers as consumers of the outbound topics."""

import os
import sys
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from threading import Thread, Timer
from typing import Annotated, Final

import typer
from prometheus_client import REGISTRY

from processors.cli.app import new_app
from processors.cli.documents import read_file
from processors.cli.web import serve
from processors.deliver.wording.templates import call_prompt, call_text
from processors.domain.external import InboundForm, ReceiptForm
from processors.domain.registration import Channel
from processors.providers.config import CHANNELS_BY_KIND, TwilioConfig, create_vendors, read_config, read_secret
from processors.providers.console import ConsoleVendor
from processors.providers.dispatch import VendorLimits
from processors.providers.dsn import receipts
from processors.providers.outcome import Vendor
from processors.providers.ssml import Prompt
from processors.providers.twilio.callbacks import CallbackAccount, Callbacks, callback_app
from processors.providers.worker import Worker
from processors.rules.load import load_rules
from processors.runtime.clock import wall_time
from processors.runtime.errors import UserError
from processors.runtime.kafka.awaited_writer import AwaitedWriter
from processors.runtime.kafka.user_client import UserClient
from processors.runtime.run.faults import Faults
from processors.runtime.run.supervise import serve_metrics
from processors.runtime.run.telemetry import configure
from processors.runtime.settings import Settings
from processors.runtime.stop_signals import join_threads, on_stop_signal
from processors.topics import INBOUND, RECEIPTS

app = new_app("Delivers outbound messages.")

CONFIG: Final = typer.Option("--config", metavar="FILE", help="Describes the vendors; docs/providers.md explains it.")
DEFAULT: Final = Path("providers.toml")
# From the stop signal until the process exits even during a call, whose outcome is then unknown; before Kubernetes would kill it.
STOP_SECONDS: Final = 25.0
CHANNELS: Final[tuple[Channel, ...]] = ("sms", "email", "voice")


@app.command()
def smtp(*, config: Annotated[Path, CONFIG] = DEFAULT) -> None:
    """Send emails through the SMTP servers of the file until SIGTERM or SIGINT."""
    run_vendors(CHANNELS_BY_KIND["smtp"], "smtp", config)


@app.command()
def twilio(*, config: Annotated[Path, CONFIG] = DEFAULT) -> None:
    """Send text messages and make calls through the Twilio accounts of the file until SIGTERM or SIGINT."""
    run_vendors(CHANNELS_BY_KIND["twilio"], "twilio", config)


@app.command()
def console(*, channel: Annotated[list[str] | None, typer.Option(help="sms, email or voice; all if left out.")] = None) -> None:
    """Print messages instead of sending them, each as delivered, until SIGTERM or SIGINT."""
    chosen = tuple(each for each in CHANNELS if channel is None or each in channel)
    if not chosen or (channel is not None and len(chosen) != len(set(channel))):
        raise typer.BadParameter("a channel is sms, email or voice")

    def write(text: str) -> None:
        typer.echo(text)
        sys.stdout.flush()

    run_workers(chosen, lambda: [(ConsoleVendor(write), VendorLimits(rate=10_000))], Settings())


@app.command()
def callbacks(
    *,
    config: Annotated[Path, CONFIG] = DEFAULT,
    host: Annotated[str, typer.Option(help="The address to listen on, behind a proxy that ends TLS.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="The port to listen on; 0 = a free one.")] = 8090,
) -> None:
    """Receive Twilio's callbacks and write receipts and inbound messages, until SIGTERM or SIGINT; prints its address."""
    entries = [each for each in read_config(config).vendor if isinstance(each, TwilioConfig)]
    if not entries:
        raise UserError('the file describes no vendor of kind "twilio": add a [[vendor]] with kind = "twilio"')
    settings = Settings()
    configure(settings.log_level, settings.log_format)
    client = UserClient(settings)
    writer = AwaitedWriter(partial(client.producer, RECEIPTS))

    def write(record: ReceiptForm | InboundForm) -> Awaitable[None]:
        topic = RECEIPTS if isinstance(record, ReceiptForm) else INBOUND
        key = record.reference if isinstance(record, ReceiptForm) else None
        return writer.write(client.topic(topic), key, client.codec.encode(record))

    rule_set = load_rules(settings.rules_dir).rule_set("", wall_time())
    again = partial(call_text, rule_set, "*call.again")
    fault = Faults(settings.faults).point("provider-callbacks")
    callers = [CallbackAccount(each.name, read_secret(each.token_file), each.public_url) for each in entries]
    serve(callback_app(Callbacks(callers, write, wall_time, again, fault)), host, port)


@app.command()
def bounces(
    files: Annotated[list[str], typer.Argument(help="Delivery status notifications as emails; - is standard input.", metavar="FILE")],
    *,
    provider: Annotated[str, typer.Option(help="The vendor that the receipts name.")] = "smtp",
) -> None:
    """
    Read bounces and write them as receipts; prints one reference per line, `-` for an email that is not a bounce.

    A mail server passes them on with an alias such as `bounces: "|vn provider bounces -"`.
    """
    found = [receipts(read_file(file), provider, wall_time()) for file in files]
    client = UserClient(Settings())
    client.send(RECEIPTS, ((each.reference, client.codec.encode(each)) for several in found for each in several))
    for several in found:
        typer.echo("\n".join(each.reference for each in several) or "-")


def run_vendors(channels: Sequence[Channel], kind: str, config: Path) -> None:
    """Run the vendors of one kind."""
    settings = Settings()
    file = read_config(config)
    rule_set = load_rules(settings.rules_dir).rule_set("", wall_time())
    prompt: Prompt = lambda language, confirm: call_prompt(rule_set, language, confirm=confirm)  # noqa: E731
    run_workers(channels, lambda: create_vendors(file, kind, prompt, wall_time, settings.seal), settings)


def run_workers(channels: Sequence[Channel], make: Callable[[], Sequence[tuple[Vendor, VendorLimits]]], settings: Settings) -> None:
    """Run one worker per channel, each with its own connections, until SIGTERM or SIGINT; serves /metrics on VN_METRICS_PORT."""
    configure(settings.log_level, settings.log_format)
    if settings.metrics_port:
        serve_metrics(settings, REGISTRY)
    workers = [Worker(channel, make(), settings) for channel in channels]
    failures: list[BaseException] = []
    late = Timer(STOP_SECONDS, lambda: os._exit(int(bool(failures))))
    late.daemon = True

    def stop() -> None:
        for worker in workers:
            worker.stop()
        with suppress(RuntimeError):  # an earlier signal started it
            late.start()

    def work(worker: Worker) -> None:
        try:
            worker.run()
        except BaseException as error:  # noqa: BLE001  raised again below, once the others have stopped
            failures.append(error)
            stop()

    threads = [Thread(target=work, args=(worker,)) for worker in workers]
    with on_stop_signal(stop):
        for thread in threads:
            thread.start()
        join_threads(threads)
    late.cancel()
    if failures:
        raise failures[0]
