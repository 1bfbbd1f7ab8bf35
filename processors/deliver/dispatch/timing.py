"""Timing of a notification's first attempt, for the metrics."""

from msgspec.structs import replace

from processors.deliver.situation import Situation
from processors.deliver.state import Pending, State
from processors.domain.notification import Outbound
from processors.domain.registration import Channel
from processors.stage import Decision, Output, Timing


def with_timing(decision: Decision[State], pending: Pending, situation: Situation) -> Decision[State]:
    """Return the decision with the timing of its first attempts."""
    return Decision(tuple([timed_output(each, pending, situation) for each in decision.outputs]), decision.states, decision.verdicts)


def timed_output(output: Output, pending: Pending, situation: Situation) -> Output:
    """Return an output with its timing, if it is an attempt."""
    return replace(output, timing=timing(pending, output.value.channel, situation)) if isinstance(output.value, Outbound) else output


def timing(pending: Pending, channel: Channel, situation: Situation) -> Timing:
    """
    Return the timing of a first attempt.

    A hold by quiet hours lasts until they end, whenever the notification began to wait. Any other hold in deliver is counted from when
    the submission was received or, if an earlier stage held it on purpose, passed on. Downtime of this stage after the end of a hold
    does not count as a hold.
    """
    ended = min(situation.at, pending.due_at)
    held = ended - pending.since
    passed_on = max([notice.held_until or notice.received_at for notice in pending.notices])
    return Timing(
        channel=channel,
        emergency=pending.emergency,
        received_at=min([notice.received_at for notice in pending.notices]),
        free_at=ended if pending.why == "quiet_hours" else passed_on + held,
        within=situation.rules.duration("notify.within", pending.notices[0].scope, emergency=pending.emergency),
        hold=pending.why,
        held=held,
    )
