"""Stages whose every decision is checked against the contract of `processors.stage`."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from processors.domain.event import Event
from processors.domain.journal import DeadLetter
from processors.domain.notification import Notification
from processors.domain.reasons import REASONS
from processors.domain.review import Review
from processors.runtime.wire.codec import Codec
from processors.runtime.wire.states import StateFormat
from processors.stage import Context, Decision, Input, Record, Stage, TimerFired

CODEC = Codec()


@dataclass
class Watch:
    """What was seen so far; `secrets` must never be seen in what people may read."""

    secrets: set[str] = field(default_factory=set)
    decided: dict[str, int] = field(default_factory=dict)

    def over(self, pipeline: Mapping[str, tuple[Stage[Any], ...]]) -> dict[str, tuple[Stage[Any], ...]]:
        """Return the same pipeline, watched."""
        return {name: tuple(self.watched(stage) for stage in stages) for name, stages in pipeline.items()}

    def watched(self, stage: Stage[Any]) -> Stage[Any]:
        def decide(given: Input, states: Mapping[str, Any], context: Context) -> Decision[Any]:
            before = dict(states)
            decision = stage.decide(given, states, context)
            assert states == before, "the states given are not changed"
            assert stage.decide(given, dict(states), context) == decision, "the same input and states give the same decision"
            self.decided[stage.name] = self.decided.get(stage.name, 0) + 1
            only_what_was_asked_for(stage, given, states)
            outputs_are_declared(stage, decision)
            states_come_back(stage, decision)
            states_lie_where_the_records_do(stage, given, decision, before)
            verdicts_are_complete(stage, given, decision)
            self.nothing_private(decision)
            return decision

        return replace(stage, decide=decide)

    def nothing_private(self, decision: Decision[Any]) -> None:
        """No address, number or PIN is in what people may read."""
        notes = [verdict.detail for verdict in decision.verdicts]
        notes += [output.value.detail for output in decision.outputs if isinstance(output.value, Review | DeadLetter)]
        for note in notes:
            assert not [secret for secret in self.secrets if secret in note], note
        letters = [output.value for output in decision.outputs if isinstance(output.value, DeadLetter)]
        for letter in letters:
            assert not [secret for secret in self.secrets if secret.encode() in (letter.original or b"")]


def only_what_was_asked_for(stage: Stage[Any], given: Input, states: Mapping[str, Any]) -> None:
    """Asking again, in one round or several, names the same states."""
    found: dict[str, Any] = {}
    asked: set[str] = set()
    while new := set(stage.keys(given, found)) - asked:
        asked |= new
        found |= {key: states[key] for key in new if key in states}
    assert found == states


def outputs_are_declared(stage: Stage[Any], decision: Decision[Any]) -> None:
    for output in decision.outputs:
        assert output.topic in stage.outputs, f"{stage.name} does not declare {output.topic.name}"
        if output.value is not None:
            assert type(output.value) in output.topic.records
            assert CODEC.decode(CODEC.encode(output.value)) == output.value
        assert output.value is not None or output.topic.compacted


def states_come_back(stage: Stage[Any], decision: Decision[Any]) -> None:
    assert not decision.states or stage.changelog is not None
    for state in decision.states.values():
        if state is not None:
            assert CODEC.states(StateFormat(stage.state))(CODEC.encode_state(state)) == state


def states_lie_where_the_records_do(stage: Stage[Any], given: Input, decision: Decision[Any], states: Mapping[str, Any]) -> None:
    """A record's states are those of its key, by which they are found again among another number of partitions."""
    if stage.changelog is None or stage.changelog.partitions != "shared":
        return
    owner = given.key if isinstance(given, Record) else stage.owner(given.key)
    assert {stage.owner(key) for key in (*states, *decision.states)} <= {owner}


def verdicts_are_complete(stage: Stage[Any], given: Input, decision: Decision[Any]) -> None:
    value = given.value if isinstance(given, Record) else None
    if isinstance(value, Event | Notification) or (isinstance(given, Record) and stage.name == "read"):
        assert decision.verdicts, f"{stage.name} says what it decided"
    for verdict in decision.verdicts:
        assert verdict.stage == stage.name
        assert verdict.reason in REASONS, verdict.reason
        assert verdict.detail.strip()
        assert verdict.rules
        assert not isinstance(given, TimerFired) or verdict.at in {given.due_at, given.fires_at}
    for output in decision.outputs:
        if isinstance(output.value, Review):
            assert output.key == output.value.review_id
            assert output.value.review_id.startswith(f"{stage.name}-")
            assert output.value.reason in REASONS, output.value.reason
        if isinstance(output.value, DeadLetter):
            assert output.value.reason in REASONS, output.value.reason
            assert output.value.stage == stage.name
