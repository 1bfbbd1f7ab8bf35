"""
Any messages in any order: two agencies report on one offender, time passes, reviewers decide.

Beside the stage runs a plain model of one agency's events, written from the contract and not from the code: objects
that are changed in place, contents instead of digests, one branch after the other instead of a table. What went on
must be the same after every step.
"""

from dataclasses import dataclass, field

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from tests.dedupe.scene import HEARING, MINUTE, NOON, OFFENDER, Scene
from tests.examples import examples

WINDOW, HOLD = 60 * MINUTE, 15 * MINUTE
AGENCIES = ("VA0010000", "VA0020000")
SPELLINGS = ("Richmond Circuit Court", "richmond  circuit-court", "RICHMOND CIRCUIT COURT.")

Told = tuple[str, str, str, int]  # telling, message id, root, content
Message = tuple[str, str, str, int]  # operation, message id, what it refers to, content


@dataclass(eq=False)
class Happening:
    """Something an agency announced: what it was said to be, each until when that is remembered, and by whom."""

    root: str
    names: set[str] = field(default_factory=set)
    heard: set[tuple[str, int]] = field(default_factory=set)  # ids with their content, of Cancels -1
    spoken: dict[int, int] = field(default_factory=dict)
    last: int | None = None
    cancel: tuple[int, str] | None = None  # due, message id
    over: bool = False
    until: int = 0
    skipped: str | None = None  # a reviewer let a later message go before this one came


@dataclass(eq=False)
class Parked:
    """A message about nothing known; `asked` once a reviewer has been."""

    message: Message
    due: int
    asked: bool = False


class Model:
    """One agency's announcements about one offender."""

    def __init__(self) -> None:
        self.happenings: list[Happening] = []
        self.parked: list[Parked] = []
        self.told: list[Told] = []

    def pass_time(self, now: int) -> None:
        for parked in self.parked:
            parked.asked = parked.asked or parked.due <= now
        for each in sorted((each for each in self.happenings if each.cancel), key=lambda each: each.cancel[0] if each.cancel else 0):
            if each.cancel is not None and each.cancel[0] <= now:
                self.told.append(("cancellation", each.cancel[1], each.root, each.last or 0))
                each.cancel, each.over = None, True
        self.happenings = [each for each in self.happenings if each.cancel or each.until > now]

    def hear(self, message: Message, now: int) -> None:
        op, id_, ref, content = message
        if op != "Add" and self.repeated(op, id_, content):
            return
        late = next((each for each in self.happenings if each.skipped == id_ and op != "Cancel"), None)
        happening = (self.alike(content, now) or late or Happening(id_)) if op == "Add" else (late or self.referred(ref))
        if happening is None:
            self.parked.append(Parked(message, now + HOLD))
            return
        chain = [(message, now)]
        known = {id_} - ({id_} if op == "Cancel" else set())
        while follower := next((each for each in self.parked if not each.asked and each.message[2] in known), None):
            self.parked.remove(follower)
            chain.append((follower.message, follower.due - HOLD))
            if follower.message[0] != "Cancel":
                known.add(follower.message[1])
        for early, _ in chain[:-1]:
            self.note(happening, early)
            if early[0] != "Cancel":
                happening.names.add(early[1])
                happening.spoken.setdefault(early[3], now + WINDOW)
        self.act(happening, *chain[-1], now=now)

    def repeated(self, op: str, id_: str, content: int) -> bool:
        waits = any((each.message[0], each.message[1], each.message[3]) == (op, id_, content) for each in self.parked)
        if op == "Cancel":  # also one that bears the id of the message that was skipped
            return waits or any((id_, -1) in each.heard for each in self.happenings)
        return waits or any(each.skipped != id_ and (id_, content) in each.heard for each in self.happenings)

    def referred(self, ref: str) -> Happening | None:
        meant = sorted((each for each in self.happenings if ref in each.names), key=lambda each: not each.over)
        return meant[-1] if meant else None

    def alike(self, content: int, now: int) -> Happening | None:
        standing = [each for each in reversed(self.happenings) if not each.over and content in each.spoken]
        for each in standing:
            if each.spoken[content] > now or (each.cancel and each.last == content):
                return each
        return next((each for each in standing if each.last == content), None)

    def note(self, it: Happening, message: Message) -> None:
        it.heard.add((message[1], -1 if message[0] == "Cancel" else message[3]))

    def act(self, it: Happening, message: Message, received: int, *, now: int, released: bool = False) -> None:
        op, id_, _, content = message
        self.note(it, message)
        if op == "Cancel":
            self.cancel(it, id_, max(received + HOLD, now), now=now, released=released)
        elif it.skipped == id_:
            it.skipped = None
            it.names.add(id_)
            it.spoken.setdefault(content, now + WINDOW)
        elif it.over or it.last is None or (op == "Add" and it.cancel is None and it.spoken[content] <= now):
            self.tell_as_new(it, id_, content, now)
        elif it.last == content or (op == "Add" and it.cancel is None):
            it.cancel = None
            it.names.add(id_)
        else:
            it.cancel = None
            self.tell(it, "change", id_, content, now)

    def cancel(self, it: Happening, id_: str, due: int, *, now: int, released: bool) -> None:
        if it.over or it.cancel is not None:
            return
        if it.last is None:
            it.over, it.until = True, now + WINDOW
            self.happenings.append(it)
        elif released:
            it.over = True
            self.told.append(("cancellation", id_, it.root, it.last))
        else:
            it.cancel = (due, id_)

    def tell_as_new(self, it: Happening, id_: str, content: int, now: int) -> None:
        if it in self.happenings:
            self.happenings.remove(it)
            it = Happening(id_, names=it.names, heard=it.heard, spoken=it.spoken)
        self.happenings.append(it)
        self.tell(it, "news", id_, content, now)

    def tell(self, it: Happening, telling: str, id_: str, content: int, now: int) -> None:
        it.names.add(id_)
        it.spoken[content] = now + WINDOW
        it.last = content
        it.until = max(it.until, now + WINDOW)
        self.told.append((telling, id_, it.root, content))

    def judge(self, parked: Parked, *, release: bool, now: int) -> None:
        self.parked.remove(parked)
        if not release:
            return
        op, id_, ref, content = parked.message
        if (known := self.referred(ref)) is not None:
            self.act(known, parked.message, now, now=now, released=True)
            return
        opened = Happening(ref, names={ref}, skipped=ref)
        if op == "Update":
            it = self.alike(content, now) or opened
            self.note(it, parked.message)
            self.act(it, ("Add", id_, ref, content), now, now=now)
        else:
            self.note(opened, parked.message)
            opened.over, opened.until = True, now + WINDOW
            self.happenings.append(opened)
            self.told.append(("cancellation", id_, ref, content))


class Conversation(RuleBasedStateMachine):
    """Two agencies, one offender."""

    def __init__(self) -> None:
        super().__init__()
        self.scene = Scene(duplicate__window="1h", cancel__hold="15m", out_of_order__hold="15m")
        self.models = {ori: Model() for ori in AGENCIES}
        self.sent: list[tuple[str, Message]] = []
        self.ids = 0

    def fresh(self) -> str:
        self.ids += 1
        return f"{self.ids}"

    def send(self, ori: str, message: Message, spelling: int) -> None:
        op, id_, ref, content = message
        self.models[ori].pass_time(self.scene.now)  # what the message before it made due at this very moment is due before it
        self.scene.receive(
            self.scene.event(
                id_,
                operation=op,
                refers_to=ref or None,
                ori=ori,
                action_at=HEARING + content * MINUTE,
                past_from=NOON,
                court=SPELLINGS[spelling],
            )
        )
        self.models[ori].hear(message, self.scene.now)

    def reference(self, data: st.DataObject, ori: str) -> str:
        """Return the id of something this agency sent, or is about to send next."""
        names = [message[1] for sender, message in self.sent if sender == ori and message[0] != "Cancel"]
        return data.draw(st.sampled_from([*names[-6:], f"{self.ids + 2}", f"{self.ids + 3}"]), label="refers_to")

    @rule(ori=st.sampled_from(AGENCIES), content=st.integers(0, 3), spelling=st.integers(0, 2))
    def add(self, ori: str, content: int, spelling: int) -> None:
        message = ("Add", self.fresh(), "", content)
        self.sent.append((ori, message))
        self.send(ori, message, spelling)

    @rule(data=st.data(), ori=st.sampled_from(AGENCIES), op=st.sampled_from(("Update", "Cancel")), content=st.integers(0, 3))
    def correct(self, data: st.DataObject, ori: str, op: str, content: int) -> None:
        message = (op, self.fresh(), self.reference(data, ori), content)
        self.sent.append((ori, message))
        self.send(ori, message, 0)

    @precondition(lambda self: self.sent)
    @rule(data=st.data(), spelling=st.integers(0, 2))
    def copy(self, data: st.DataObject, spelling: int) -> None:
        ori, message = data.draw(st.sampled_from(self.sent[-10:]))
        self.send(ori, message, spelling)

    @precondition(lambda self: self.sent)
    @rule(data=st.data(), content=st.integers(0, 3))
    def use_an_id_again(self, data: st.DataObject, content: int) -> None:
        ori, message = data.draw(st.sampled_from(self.sent[-10:]))
        self.send(ori, ("Add", message[1], "", content), 0)

    @rule(minutes=st.sampled_from((1, 7, 8, 14, 15, 16, 30, 45, 59, 60, 61)))
    def wait(self, minutes: int) -> None:
        self.scene.later(minutes * MINUTE)
        for model in self.models.values():
            model.pass_time(self.scene.now)

    @precondition(lambda self: any(each.asked for model in self.models.values() for each in model.parked))
    @rule(data=st.data(), release=st.booleans())
    def judge(self, data: st.DataObject, release: object) -> None:
        asked = [(ori, each) for ori, model in self.models.items() for each in model.parked if each.asked]
        ori, parked = data.draw(st.sampled_from(asked))
        review = next(
            each
            for each in reversed(self.scene.reviews)
            if (each.ori, each.message_id) == (ori, parked.message[1]) and each.state == "open"
        )
        self.scene.review("release" if release else "discard", review)
        self.models[ori].judge(parked, release=bool(release), now=self.scene.now)

    @invariant()
    def the_same_went_on(self) -> None:
        for ori, model in self.models.items():
            went = [
                (each.telling, each.message_id, each.root or each.message_id, (each.action_at - HEARING) // MINUTE)
                for each in self.scene.passed
                if each.ori == ori
            ]
            assert went == model.told

    @invariant()
    def every_message_has_its_verdict(self) -> None:
        assert all(each.verdicts for each in self.scene.decisions if each.outputs)

    @invariant()
    def what_is_kept_is_what_may_be_needed(self) -> None:
        """No message is stored that no event and nothing that waits would ever ask for, and none is missing."""
        if not self.scene.documents:
            return
        document = self.scene.known
        needed = {f"{OFFENDER}/{each.seq}" for each in document.events if each.state != "cancelled"}
        needed |= {f"{OFFENDER}/{each.seq}" for each in document.waiting}
        assert set(self.scene.documents) == needed | {OFFENDER}
        assert self.scene.timers.get(OFFENDER) == document.deadline


TestConversation = Conversation.TestCase
TestConversation.settings = settings(max_examples=examples(120), stateful_step_count=30)
