"""`vn topics`: creates and lists the pipeline's topics; gives the stages more partitions."""

from typing import Annotated, Any

import typer

from processors.cli.app import new_app
from processors.cli.output import JSON, print_rows
from processors.pipeline import STAGES
from processors.runtime.kafka.topics_admin import apply_properties, create_topics, property_differences, topic_status
from processors.runtime.run.grow import grow
from processors.runtime.settings import Settings
from processors.topics import DAY, FOREVER

app = new_app("Creates the pipeline's topics; lists them.")


@app.command()
def create(
    *,
    apply: Annotated[bool, typer.Option("--apply", help="Set the properties that differ.")] = False,
) -> None:
    """
    Create every topic that is missing, with its partitions, retention and compaction.

    Can be repeated: existing topics are left as they are. Properties that differ from those the pipeline relies on are
    listed, and set with --apply. Refuses to continue if a topic has the wrong number of partitions.
    """
    settings = Settings()
    for topic in create_topics(settings):
        typer.echo(f"{topic.name}: created, {topic.partitions} partition{'' if topic.partitions == 1 else 's'}")
    differences = property_differences(settings)
    if apply:
        apply_properties(settings, differences)
    for each in differences:
        change = "set to" if apply else "left as it is; --apply sets it to"
        typer.echo(f"{each.topic}: {each.name} was {each.actual}, {change} {each.wanted}")


@app.command("grow")
def grow_topics(
    partitions: Annotated[int, typer.Argument(metavar="N", min=2, max=1024, help="The number of partitions that the stages will share.")],
) -> None:
    """
    Give the stages more partitions, and move every state to the new partition of its records.

    Stop every `vn run` first, with all inputs read (`vn run all --until-idle 5`). Can be repeated: if it was interrupted, it
    continues. Afterwards set VN_PARTITIONS and start the stages again.
    """
    for line in grow(Settings(), STAGES, partitions):
        typer.echo(line)


@app.command("list")
def list_topics(*, as_json: Annotated[bool, JSON] = False) -> None:
    """List every topic: its key, its retention, and whether it exists."""
    rows: list[dict[str, Any]] = [
        {
            "topic": each.name,
            "partitions": each.partitions,
            "actual": each.actual,
            "key": each.topic.key,
            "retention_ms": each.topic.retention,
            "compacted": each.topic.compacted,
            "records": ", ".join(record.__name__ for record in each.topic.records),
            "state": "missing" if each.actual == 0 else "ok" if each.actual == each.partitions else "differs",
        }
        for each in topic_status(Settings())
    ]
    if not as_json:
        rows = [each | {"kept": retention_text(each["retention_ms"], compacted=each["compacted"])} for each in rows]
    columns = ("topic", "partitions", "key", "kept", "records", "state")
    print_rows(rows, columns, title="Topics", as_json=as_json, empty="There are no topics.")


def retention_text(retention: int, *, compacted: bool) -> str:
    """Return a topic's retention in words."""
    if compacted:
        return "the newest of each key"
    days = retention // DAY
    return "for ever" if retention == FOREVER else f"{days} {'day' if days == 1 else 'days'}"
