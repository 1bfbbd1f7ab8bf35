"""`/tail`: the newest records of any topic, without contact data."""

import json
from typing import Any, Final

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from processors.console.formats import mask_personal_data
from processors.console.page import Pages
from processors.topics import DECISIONS, TOPICS

MAX_RECORDS: Final = 50


async def tail(pages: Pages, request: Request) -> Response:
    name = request.query_params.get("topic", DECISIONS.name)
    topic = next((each for each in TOPICS if each.name == name), None)
    if topic is None:
        return pages.missing(request, f"topic {name}")
    records = await run_in_threadpool(lambda: [shown_record(pages, each) for each in pages.console.client.newest(topic, MAX_RECORDS)])
    return pages.render(request, "tail.html", topic=name, topics=[each.name for each in TOPICS], records=records)


def shown_record(pages: Pages, record: Any) -> dict[str, Any]:
    """Return a record as the page shows it."""
    try:
        value = None if record.value is None else pages.console.client.codec.decode(record.value)
    except Exception as error:  # noqa: BLE001  whatever outsiders sent is shown as unreadable
        value = {"unreadable": type(error).__name__}
    plain = json.loads(json.dumps(mask_personal_data(value), default=str)) if value is not None else None
    return {
        "partition": record.partition,
        "offset": record.offset,
        "timestamp": record.timestamp,
        "key": record.key,
        "value": json.dumps(plain, indent=1),
    }
