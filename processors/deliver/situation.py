"""The context of one decision in deliver: registrant, time, rules and keys, with helpers for verdicts."""

from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from processors.deliver.state import Notice, Registrant, State
from processors.domain.erasure import RegistrantKey
from processors.domain.journal import Outcome, Verdict
from processors.domain.seal import Seal
from processors.rules.rule_set import Rules
from processors.stage import Decision

STAGE_NAME: Final = "deliver"


class VerdictSubject(Struct, frozen=True, gc=False):
    """What a verdict refers to besides the message: its agency, offender and trace, a review, or an attempt and its status."""

    review_id: str | None = None
    notification_id: str | None = None
    reference: str | None = None
    channel: str | None = None
    status: str | None = None
    ori: str | None = None
    offender: str | None = None
    part: int | None = None
    trace: str | None = None
    provider: str | None = None


MESSAGE_ONLY: Final = VerdictSubject()


class Situation(Struct, frozen=True, gc=False):
    """
    One registrant, the time of the decision, the rules with the settings in force, and the keys.

    An attempt made now begins at `begins_at`, which is later than `at` if the decision is late, as after an outage.
    `seal` is that of the key file, `key` the registrant's own key, None if they have none.
    """

    registrant_id: str
    at: int
    begins_at: int
    rules: Rules
    seal: Seal
    key: RegistrantKey | None = None

    @property
    def contact_seal(self) -> Seal:
        """Return the seal of the registrant's contact data; it is not cached."""
        return self.seal if self.key is None else self.key.seal_for(self.registrant_id, self.seal)

    def verdict(self, message_id: str, outcome: Outcome, reason: str, detail: str, about: VerdictSubject = MESSAGE_ONLY) -> Verdict:
        """Return the verdict on a message, a registration or a review of the registrant."""
        return Verdict(
            stage=STAGE_NAME,
            message_id=message_id,
            outcome=outcome,
            reason=reason,
            detail=detail,
            at=self.at,
            ori=about.ori,
            offender=about.offender,
            part=about.part,
            rules=self.rules.version,
            review_id=about.review_id,
            notification_id=about.notification_id,
            registrant_id=self.registrant_id,
            reference=about.reference,
            channel=about.channel,
            status=about.status,
            provider=about.provider,
            trace=about.trace,
        )

    def notice_verdict(self, notice: Notice, outcome: Outcome, reason: str, detail: str, about: VerdictSubject = MESSAGE_ONLY) -> Verdict:
        """Return the verdict on one offender's part of one message."""
        about = replace(about, ori=notice.ori, offender=notice.offender, part=notice.part, trace=notice.trace)
        return self.verdict(notice.message_id, outcome, reason, detail, about)


def registrant_after(decision: Decision[State], before: Registrant) -> Registrant:
    """Return the registrant after a decision."""
    after = decision.states.get(before.registrant_id, before)
    return after if isinstance(after, Registrant) else before
