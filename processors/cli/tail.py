"""`vn tail`: shows the decoded records of any topic of the pipeline."""

import base64
import json
from collections.abc import Iterator
from typing import Annotated, Any

import typer

from processors.cli.app import new_app
from processors.cli.output import JSON, print_json
from processors.domain.time import iso
from processors.runtime.errors import UsageError
from processors.runtime.kafka.user_client import TopicRecord, UserClient
from processors.runtime.settings import Settings
from processors.runtime.wire.codec import Codec
from processors.topics import DECISIONS, TOPICS, Topic

app = new_app("Shows the records of a topic.")


@app.command()
def tail(
    topic: Annotated[str, typer.Argument(help="The topic, with or without its prefix.")],
    *,
    from_beginning: Annotated[bool, typer.Option("--from-beginning", help="Start at the first record kept, not at the end.")] = False,
    max_records: Annotated[int | None, typer.Option("--max", min=1, help="End after this many records.")] = None,
    timeout: Annotated[float | None, typer.Option(min=0.1, help="End once no record arrived for this many seconds.")] = None,
    as_json: Annotated[bool, JSON] = False,
) -> None:
    """Show a topic's committed records, decoded; the journal is shown one decision per line."""
    settings = Settings()
    chosen = topic_named(topic, settings.topic_prefix)
    client = UserClient(settings)
    shown = 0
    for record in client.read(chosen, beginning=from_beginning, follow=timeout):
        for line in lines(record, client.codec, chosen):
            if as_json:
                print_json(line)
            else:
                value = json.dumps(line["value"], ensure_ascii=False, default=str)
                typer.echo(f"{line['partition']}/{line['offset']} {iso(line['timestamp'])} {line['key'] or '-'} {value}")
            shown += 1
            if shown == max_records:
                return


def topic_named(name: str, prefix: str) -> Topic:
    """Return the topic called `name`, with or without the prefix; raises UsageError if there is none."""
    for topic in TOPICS:
        if name in {topic.name, f"{prefix}{topic.name}"}:
            return topic
    raise UsageError(f"there is no topic {name}: `vn topics list` shows those there are")


def lines(record: TopicRecord, codec: Codec, topic: Topic) -> Iterator[dict[str, Any]]:
    """Yield a record as `vn tail --json` shows it; a record of the journal gives one line per decision."""
    value = json_of(record.value, codec)
    parts = value["verdicts"] if topic is DECISIONS and isinstance(value, dict) and "verdicts" in value else [value]
    for part in parts:
        yield {
            "topic": record.topic,
            "partition": record.partition,
            "offset": record.offset,
            "timestamp": record.timestamp,
            "key": record.key,
            "headers": record.headers,
            "value": part,
        }


def json_of(value: bytes | None, codec: Codec) -> Any:
    """Return a record's value for JSON output: decoded, JSON as an object, XML as text, any other bytes as base64."""
    if value is None:
        return None
    text = value.lstrip(b"\xef\xbb\xbf \t\r\n")
    try:
        if text[:1] == b"{":
            return json.loads(text)
        if text[:1] == b"<":
            return value.decode()
        return codec.describe(value)
    except (ValueError, RecursionError, LookupError):
        return base64.b64encode(value).decode()
