"""`vn simulate`: simulates the agencies of ICOTS, and compares the pipeline's output with what the simulation expects."""

import json
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Final
from zoneinfo import ZoneInfo

import typer
from rich.progress import Progress, TaskID, TimeRemainingColumn

from processors.cli.app import new_app
from processors.cli.arguments import check_year
from processors.cli.output import progress
from processors.domain.journal import DeadLetter, Verdict
from processors.domain.notification import Outbound
from processors.rehearsal.answer_key import differences
from processors.rehearsal.feed import read_feed, read_key
from processors.rehearsal.local_pipeline import empty_cluster, running_stages
from processors.rehearsal.player import play, rehearse
from processors.rules.load import load_rules
from processors.runtime.errors import UsageError, UserError
from processors.runtime.kafka.user_client import UserClient
from processors.runtime.settings import Settings
from processors.simulation.world import EAST_COAST, World, simulate
from processors.topics import DEAD_LETTERS, DECISIONS, OUTBOUND

app = new_app("Creates a feed like that of ICOTS with its answer key, and compares the output with it.")

FOLDER: Final = Path(".vn/simulation")
MOST_DAYS: Final = 36_525  # a hundred years
SHOWN: Final = 40  # differences printed; the rest are counted
NO_KEY: Final = bytes(64)  # the encryption key of a rehearsal, whose data never leaves the process

PipelineOutput = tuple[list[Outbound], list[Verdict], list[DeadLetter]]


@app.command(name="simulate")
def simulate_command(  # noqa: PLR0913  its options
    *,
    days: Annotated[int, typer.Option(min=1, max=MOST_DAYS, help="How many days of activity.")] = 30,
    seed: Annotated[int, typer.Option(help="The same seed and options give the same feed, byte for byte.")] = 7,
    scale: Annotated[
        float,
        typer.Option(
            min=0.0001, max=1.0, help="The part of the nation that is simulated: 1 is 1,000,000 activities a year on 102,000 cases."
        ),
    ] = 0.006,
    start: Annotated[
        datetime, typer.Option(formats=["%Y-%m-%d"], metavar="YYYY-MM-DD", show_default="2026-03-01", help="The first day.")
    ] = datetime(2026, 3, 1),  # noqa: DTZ001  of no zone yet
    out: Annotated[Path, typer.Option(metavar="DIR", help="The folder for feed.jsonl and key.json; both are overwritten.")] = FOLDER,
    rehearsed: Annotated[bool, typer.Option("--rehearse", help="Also run the feed through the stages in memory, and compare.")] = False,
    run: Annotated[
        bool, typer.Option("--run", help="Also run broker, store and all stages in DIR/pipeline, play the feed to them, and compare.")
    ] = False,
    played: Annotated[bool, typer.Option("--play", help="Also play the feed to the running pipeline, and compare.")] = False,
    check: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Create nothing: compare what is in the topics with DIR/key.json.")
    ] = None,
) -> None:
    """
    Create a feed of registrations and interstate compact activity, and the answer key with the expected output.

    DIR/feed.jsonl holds what agencies and registration sites send and when, with the volumes that the compact's
    commission publishes and the disorder of real life: late, out of order, duplicated, cancelled, corrected,
    contradictory and unreadable messages. DIR/key.json says who must be told what, what nobody is told of and why, and
    what is refused. The key is computed by the simulated world, not by the pipeline. docs/simulation.md states the rates.

    `vn simulate --days 30 --seed 7 --run` starts a broker, a store and all stages, plays the month through them, stops
    them, and compares. --play uses a pipeline that is already running, with the same environment variables as this command,
    VN_CLOCK=topic and empty topics. Exit code 0 only if the output is exactly what the key says.
    """
    settings = Settings()
    if check is not None:
        compare(read_key(check / "key.json"), output_of(UserClient(settings)))
        return
    if played and settings.clock != "topic":
        raise UsageError("--play advances the time by itself: set VN_CLOCK=topic here and for the stages (never in production)")
    check_year("--start", start)
    check_year("The last of --days", start + timedelta(days=days))
    world = simulate(midnight(start), days, seed, scale)
    key = world.key()
    write(world, key, out)
    typer.echo(summary(world, key, out))
    if rehearsed:
        driver = rehearse(read_feed(out / "feed.jsonl"), load_rules(None), NO_KEY).driver
        compare(key, (driver.outbound(), driver.verdicts(), driver.records(DEAD_LETTERS)))
    if run:
        compare(key, play_feed_alone(out))
    if played:
        compare(key, play_feed(out))


def midnight(day: datetime) -> int:
    """Return the start of a day on the east coast, in milliseconds."""
    return int(day.replace(tzinfo=ZoneInfo(EAST_COAST)).timestamp()) * 1000


def write(world: World, key: Mapping[str, Any], folder: Path) -> None:
    """Write the feed and its key to the folder."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / "feed.jsonl").open("w", encoding="utf-8") as lines:
            lines.writelines(json.dumps(line, ensure_ascii=False) + "\n" for line in world.feed())
        (folder / "key.json").write_text(json.dumps(key, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    except OSError as error:
        raise UserError(f"{folder} cannot be written to ({error.strerror}): name another folder with --out") from None


def summary(world: World, key: Mapping[str, Any], folder: Path) -> str:
    """Return a sentence that sums up the feed and its key."""
    told = sum(map(len, key["told"].values()))
    return (
        f"{len(world.feed_items)} submissions and {len(world.registrations)} registrations in {folder / 'feed.jsonl'}; to be told: "
        f"{told} messages to {len(key['told'])} registrants, held back: {len(key['held'])}, refused: {sum(key['rejected'].values())}."
    )


def play_feed(folder: Path) -> PipelineOutput:
    """Play the feed to the running pipeline, and return its output."""
    with progress(TimeRemainingColumn()) as bar:
        return _play(folder, bar, bar.add_task("rehearsing in memory", total=None))


def play_feed_alone(folder: Path) -> PipelineOutput:
    """Play the feed to a pipeline of its own, whose data is kept, and return its output."""
    own = folder / "pipeline"
    with progress(TimeRemainingColumn()) as bar:
        task = bar.add_task("starting", total=None)
        with empty_cluster(own, lambda what: bar.update(task, description=what[:60])), running_stages(own) as stages:
            return _play(folder, bar, task, stages.check_running)


def _play(folder: Path, bar: Progress, task: TaskID, meanwhile: Callable[[], None] = lambda: None) -> PipelineOutput:
    settings = Settings()
    client = UserClient(settings)
    if any(True for _ in client.read(DECISIONS)):
        raise UserError("the topics hold results already, which would be compared too: use empty ones, with a VN_TOPIC_PREFIX of their own")
    bar.update(task, description="rehearsing in memory")
    rehearsal = rehearse(read_feed(folder / "feed.jsonl"), load_rules(settings.rules_dir), settings.seal().key)
    bar.update(task, description="moments played", total=len(rehearsal.moments))
    for done in play(rehearsal.moments, client, meanwhile=meanwhile):
        bar.update(task, completed=done)
    return output_of(client)


def output_of(client: UserClient) -> PipelineOutput:
    """Return the output topics: outbound messages, journal and dead letters."""
    outbound = [message for topic in OUTBOUND.values() for message in client.values(topic)]
    return outbound, list(client.verdicts(DECISIONS)), list(client.values(DEAD_LETTERS))


def compare(key: Mapping[str, Any], result: PipelineOutput) -> None:
    """Print how the output differs from the key; exit code 1 if it does."""
    wrong = differences(key, *result)
    for line in shorten(wrong):
        typer.echo(line)
    if wrong:
        raise typer.Exit(1)
    typer.echo("What came out is exactly what the key says.")


def shorten(lines: list[str]) -> Iterable[str]:
    yield from lines[:SHOWN]
    if len(lines) > SHOWN:
        yield f"and {len(lines) - SHOWN} more differences"
