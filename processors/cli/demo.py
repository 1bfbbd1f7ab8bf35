"""`vn demo`: runs the sample feed through the whole pipeline on a real broker and store, and compares the result with its answer key."""

import random
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any, Final, get_args

import typer
from redis import Redis
from rich.console import Console, Group
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from processors.cli.app import new_app
from processors.cli.output import console, progress
from processors.domain.journal import DeadLetter, Outcome, Verdict
from processors.domain.notification import Outbound
from processors.domain.reasons import REASONS
from processors.domain.time import iso
from processors.pipeline import PIPELINE
from processors.rehearsal.answer_key import differences, messages_held
from processors.rehearsal.feed import read_feed, read_key
from processors.rehearsal.local_pipeline import Stages, empty_cluster, running_pages, running_stages
from processors.rehearsal.player import play, rehearse
from processors.rules.load import load_rules
from processors.runtime.kafka.user_client import UserClient
from processors.runtime.local import LocalCluster
from processors.runtime.settings import Settings
from processors.runtime.stop_signals import wait_for_stop_signal
from processors.topics import DEAD_LETTERS, DECISIONS, OUTBOUND

app = new_app("Runs the sample feed through the whole pipeline and compares the result with its answer key.")

EXAMPLES: Final = Path(__file__).parents[2] / "examples"
FOLDER: Final = Path(".vn/demo")
STAGE_OF: Final = {unit.name: stage for stage, units in PIPELINE.items() for unit in units}


@app.command()
def demo(
    *,
    chaos: Annotated[bool, typer.Option("--chaos", help="Kill stages, broker and store meanwhile; the result is the same.")] = False,
    look: Annotated[bool, typer.Option("--look", help="Then serve console and site with the result, until Ctrl-C.")] = False,
    seed: Annotated[int, typer.Option(help="Chooses what --chaos kills, and when.")] = 7,
    examples: Annotated[Path, typer.Option(help="The folder with feed.jsonl and key.json.")] = EXAMPLES,
    folder: Annotated[Path, typer.Option("--dir", help="Where broker and store keep their data; what is there is deleted.")] = FOLDER,
) -> None:
    """
    Run the sample feed through the five stages, and show what was sent, what was not, and why.

    Starts a broker and a store of its own and stops them at the end. Exit code 0 only if the result is what
    examples/key.json says.
    """
    Settings()  # a misspelled variable is an error here too, though the demo sets its own
    out, key, steps = console(), read_key(examples / "key.json"), tuple(read_feed(examples / "feed.jsonl"))
    with progress() as bar:
        task = bar.add_task("starting", total=None)
        with empty_cluster(folder, lambda what: bar.update(task, description=what[:60])) as local:
            settings = Settings()
            client = UserClient(settings)
            with running_stages(folder) as stages:
                bar.update(task, description="rehearsing in memory")
                rehearsal = rehearse(steps, load_rules(settings.rules_dir), settings.seal().key)
                bar.update(task, total=len(rehearsal.moments), description="running with chaos" if chaos else "running")
                trouble = Chaos(local, stages, seed, len(rehearsal.moments)) if chaos else None
                strike = trouble.strike if trouble else lambda _: None
                for done in play(rehearsal.moments, client, before=strike, meanwhile=stages.check_running):
                    bar.update(task, completed=done)
                bar.stop()
                result = _result(client)
                wrong = differences(key, *result)
                _show(out, *result)
                if trouble:
                    out.print(f"Chaos: {', '.join(f'{count} x {what}' for what, count in sorted(trouble.done.items()))}.")
                out.print(_verdict(wrong, sum(len(each) for each in key["told"].values()), folder))
                if look:
                    _serve_pages(out, folder)
    if wrong:
        raise typer.Exit(1)


def _serve_pages(out: Console, folder: Path) -> None:
    """Serve console and site while the stages still run, until SIGINT or SIGTERM."""
    with running_pages(folder) as addresses:
        out.print(Text("Look at it: what a reviewer decides there, the stages carry out.", style="bold"))
        for name, address in addresses.items():
            out.print(Text(f"  vn {name:<8} {address}"))
        out.print(Text("Ctrl-C ends everything."))
        wait_for_stop_signal()


def _result(client: UserClient) -> tuple[list[Outbound], list[Verdict], list[DeadLetter]]:
    outbound = [message for topic in OUTBOUND.values() for message in client.values(topic)]
    outbound.sort(key=lambda each: (each.registrant_id, each.created_at, each.notification_id, each.channel))
    return outbound, list(client.verdicts(DECISIONS)), list(client.values(DEAD_LETTERS))


class Chaos:
    """Kills stages, broker and store at random times determined by the seed, and counts what it did."""

    def __init__(self, local: LocalCluster, stages: Stages, seed: int, moments: int) -> None:
        chance = random.Random(seed)  # noqa: S311  nothing secret
        strikes: Sequence[Callable[[], str]] = (self._stage, self._stage, self._stage, self._store_emptied, self._store, self._broker)
        plan = [*strikes, *(self._stage for _ in range(4))]
        self._plan = dict(zip(sorted(chance.sample(range(2, moments), len(plan))), chance.sample(plan, len(plan)), strict=True))
        self._chance = chance
        self._local = local
        self._stages = stages
        self.done: Counter[str] = Counter()

    def strike(self, moment: int) -> None:
        """Do what is planned for this moment, if anything."""
        if (action := self._plan.get(moment)) is not None:
            self.done[action()] += 1

    def _stage(self) -> str:
        if units := self._stages.processes():
            self._chance.choice(units).kill()
        return "kill -9 of a stage"

    def _store_emptied(self) -> str:
        with Redis.from_url(self._local.addresses.redis_url) as store:
            store.flushall()
        return "FLUSHALL"

    def _store(self) -> str:
        self._local.kill_store()
        self._local.up()
        return "kill -9 of Redis"

    def _broker(self) -> str:
        self._local.kill_broker()
        self._local.up()
        return "kill -9 of Kafka"


def _show(out: Console, outbound: list[Outbound], journal: list[Verdict], dead: list[DeadLetter]) -> None:
    out.print(_stage_table(journal))
    for registrant in sorted({message.registrant_id for message in outbound}):
        out.print(_messages(registrant, [message for message in outbound if message.registrant_id == registrant]))
    out.print(_held_table(journal))
    out.print(_dead_table(dead))


def _stage_table(journal: list[Verdict]) -> Table:
    counts = Counter((STAGE_OF[each.stage], each.outcome) for each in journal)
    found = {each.outcome for each in journal} - {"noted"}
    outcomes = [outcome for outcome in get_args(Outcome) if outcome in found]
    table = Table("decision", *PIPELINE, title="The five stages, and what they decided", title_justify="left")
    for outcome in outcomes:
        table.add_row(outcome, *(str(counts[stage, outcome] or "") for stage in PIPELINE))
    return table


def _messages(registrant: str, messages: list[Outbound]) -> Panel:
    lines: list[Any] = []
    for notification_id in dict.fromkeys(message.notification_id for message in messages):
        together = [message for message in messages if message.notification_id == notification_id]
        shortest = min(together, key=lambda each: len(each.body))
        mark = "  emergency" if shortest.emergency else ""
        channels = ", ".join(each.channel for each in together)
        lines.append(Text(f"{iso(shortest.created_at)}  {channels}  {shortest.kind}{mark}", style="bold"))
        lines.append(Text(f"  {shortest.body if shortest.channel == 'sms' else shortest.subject or shortest.body}"))
    return Panel(Group(*lines), title=f"{registrant}: {len(messages)} messages", title_align="left")


def _held_table(journal: list[Verdict]) -> Table:
    last = messages_held(journal)
    details = {(each.message_id, each.stage, each.reason): each.detail for each in journal}
    table = Table("message", "stage", "outcome", "why", title="What was not sent, and why", title_justify="left")
    for message_id, (stage, outcome, reason) in sorted(last.items()):
        table.add_row(message_id, stage, outcome, details[message_id, stage, reason])
    return table


def _dead_table(dead: list[DeadLetter]) -> Table:
    table = Table("reason", "what it means", "how often", title="Records that were refused", title_justify="left")
    for reason, count in sorted(Counter(each.reason for each in dead).items()):
        table.add_row(reason, REASONS[reason], str(count))
    return table


def _verdict(wrong: list[str], notifications: int, folder: Path) -> Group:
    if wrong:
        return Group(Text("The output differs from examples/key.json:", style="bold red"), *(Text(f"  {line}") for line in wrong))
    return Group(
        Text(f"All {notifications} notifications, and nothing else, as examples/key.json says.", style="bold green"),
        Text("To look further (the data is kept; VN_CLOCK=topic because the demo has a clock of its own):"),
        Text(f'  eval "$(.venv/bin/vn local up --dir {folder})"; export VN_CLOCK=topic; PATH=$PWD/.venv/bin:$PATH'),
        Text("  vn explain CA-26-804      vn review list      vn dead-letters list      vn audit"),
        Text("  vn tail vn.outbound.sms --from-beginning --max 3 --json      vn rules show VA"),
        Text(f"  vn local down --dir {folder}"),
    )
