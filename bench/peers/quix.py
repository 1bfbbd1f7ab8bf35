"""
The peers' job in Quix Streams, exactly once.

Runs in a virtual environment of its own, since Quix pins another confluent-kafka; imports nothing from the pipeline.
`python quix.py BOOTSTRAP GROUP SOURCE ACCEPTED REJECTED FOLDER`: FOLDER holds the two schemas, and the state.
"""

import json
import sys
from pathlib import Path
from typing import Any

from quixstreams import Application, State
from quixstreams.models.serializers.avro import AvroDeserializer, AvroSerializer

NEXT = {"": "booked", "booked": "held", "held": "furlough", "furlough": "released", "released": "booked"}
LAST = 16
COMMIT_INTERVAL = 0.1  # seconds, as Kafka Streams under exactly-once


def judge(change: dict[str, Any], state: State) -> dict[str, Any] | None:
    known = state.get("known") or {"status": "", "ids": []}
    if change["event_id"] in known["ids"]:
        return None
    accepted = NEXT[known["status"]] == change["status"]
    state.set("known", {"status": change["status"] if accepted else known["status"], "ids": [*known["ids"], change["event_id"]][-LAST:]})
    return {**change, "decision": "accepted" if accepted else "rejected"}


def main(bootstrap: str, group: str, *places: str) -> None:
    source, accepted, rejected, folder = places
    change, decided = (json.loads((Path(folder) / f"{name}.avsc").read_text()) for name in ("Change", "DecidedChange"))
    application = Application(
        bootstrap,
        consumer_group=group,
        auto_offset_reset="earliest",
        processing_guarantee="exactly-once",
        commit_interval=COMMIT_INTERVAL,
        state_dir=Path(folder) / "state",
        auto_create_topics=True,
        loglevel="WARNING",
    )
    changes = application.topic(source, value_deserializer=AvroDeserializer(change))
    sinks = {
        "accepted": application.topic(accepted, value_serializer=AvroSerializer(decided)),
        "rejected": application.topic(rejected, value_serializer=AvroSerializer(decided)),
    }
    frame = application.dataframe(changes).apply(judge, stateful=True)
    frame = frame[frame.apply(lambda found: found is not None)]
    for decision, sink in sinks.items():
        frame[frame["decision"] == decision].to_topic(sink)
    application.run()


if __name__ == "__main__":
    main(*sys.argv[1:])
