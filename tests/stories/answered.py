"""The pipeline in memory with a provider that answers at once, for stories that are not about receipts."""

from typing import Any

from processors.domain.notification import Outbound, ReceiptStatus
from processors.runtime.decide.driver import Message, PipelineDriver
from processors.topics import Topic

PIN = "2580"  # of every registration that a story does not give another one


class AnsweredDriver(PipelineDriver):
    """
    Every attempt is answered with `answers` when it leaves, with nothing where that is None; a call that asks for a PIN with
    the usual one.

    `outbound` leaves the confirmations of registrations and opt-outs out, which `confirmations` returns.
    """

    answers: ReceiptStatus | None = "delivered"
    _answered = 0

    def send(self, topic: Topic, value: Message | None, key: str | None = None) -> None:
        super().send(topic, value, key)
        self._answer()

    def advance_to(self, moment: Any) -> None:
        until = moment if isinstance(moment, int) else int(moment.timestamp() * 1_000)
        while (due := self.next_due()) is not None and due <= until:
            super().advance_to(due)
            self._answer()
        super().advance_to(until)

    def outbound(self, channel: str | None = None) -> list[Outbound]:
        return [each for each in super().outbound(channel) if each.kind != "confirmation"]

    def confirmations(self) -> list[Outbound]:
        return [each for each in super().outbound() if each.kind == "confirmation"]

    def _answer(self) -> None:
        if self.answers is None:
            return
        left = super().outbound()[self._answered :]
        self._answered += len(left)
        for each in left:
            if each.confirm:
                self.receipt(each.reference, "confirmed", digits=PIN)
            else:
                self.receipt(each.reference, self.answers)
