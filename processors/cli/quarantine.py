"""`vn quarantine`: sets a record aside that its stage must not decide."""

import getpass
from typing import Annotated

import typer

from processors.cli.app import new_app
from processors.cli.arguments import reason_option
from processors.domain.quarantine import QuarantinedRecord, record_id
from processors.pipeline import PIPELINE
from processors.runtime.clock import wall_time
from processors.runtime.errors import UsageError, UserError
from processors.runtime.kafka.clients import Broker, committed_offsets
from processors.runtime.kafka.user_client import UserClient
from processors.runtime.settings import Settings
from processors.stage import Stage
from processors.topics import QUARANTINE, TOPICS

app = new_app("Sets a record aside that its stage must not decide.")


@app.command()
def quarantine(
    topic: Annotated[str, typer.Argument(help="The topic, such as vn.events.", metavar="TOPIC")],
    partition: Annotated[int, typer.Argument(min=0, metavar="PARTITION")],
    offset: Annotated[int, typer.Argument(min=0, metavar="OFFSET")],
    *,
    reason: Annotated[str, reason_option("Why; kept in the dead letter.")],
    person: Annotated[str | None, typer.Option("--as", help="Who decides so. Default: the user of this computer.")] = None,
) -> None:
    """
    Set a record aside: its stage writes a dead letter instead of a decision, and continues.

    Works while the stage runs, and while it is down: then it takes effect at its next start. `vn dead-letters replay` sends
    the record again once the cause is fixed.
    """
    settings = Settings()
    name = topic.removeprefix(settings.topic_prefix)
    readers = [stage for stages in PIPELINE.values() for stage in stages if name in {each.name for each in stage.inputs}]
    if not readers:
        raise UsageError(f"no stage reads {topic}: `vn topics list` shows the topics")
    full_name = settings.topic_prefix + name
    partitions = Broker(settings).partition_counts([full_name])[full_name]
    if not partitions:
        raise UserError(f"there is no topic {full_name}: create the topics with `vn topics create`")
    if partition >= partitions:
        raise UserError(f"{full_name} has no partition {partition}: its partitions are 0 to {partitions - 1}")
    passed = [stage.name for stage in readers if has_passed(settings, stage, name, partition, offset)]
    if len(passed) == len(readers):
        raise UserError(f"{' and '.join(passed)} decided {name}[{partition}] at {offset} before: there is nothing left to set aside")
    client = UserClient(settings)
    known = next(each for each in TOPICS if each.name == name)
    if not list(client.read_at(known, [(partition, offset)])):
        raise UserError(f"there is no record at {name}[{partition}] {offset}, or retention has removed it")
    record = QuarantinedRecord(
        topic=name, partition=partition, offset=offset, reason=reason, set_by=person or getpass.getuser(), set_at=wall_time()
    )
    key = record_id(name, partition, offset)
    client.send(QUARANTINE, [(key, client.codec.encode(record))])
    typer.echo(key)


def has_passed(settings: Settings, stage: Stage[object], topic: str, partition: int, offset: int) -> bool:
    """Whether the stage's group has committed an offset beyond the record."""
    topic_partition = (settings.topic_prefix + topic, partition)
    group = Broker(settings).offsets_consumer(f"{settings.topic_prefix}{stage.name}")
    committed = committed_offsets(group, [topic_partition])[topic_partition]
    return committed is not None and committed > offset
