"""The definition of every topic: its records, key, partitions and retention."""

from dataclasses import dataclass
from typing import Final, Literal

from processors.domain.agency import AgencyHeard
from processors.domain.erasure import Erased, Erasure, ErasureRequest, RegistrantKey
from processors.domain.event import Event
from processors.domain.expectation import Expectation
from processors.domain.external import InboundForm, ReceiptForm, RegistrationForm, VerificationForm
from processors.domain.inbound import Inbound
from processors.domain.intake import Intake
from processors.domain.journal import DeadLetter, DeadLetterSettled, Verdicts
from processors.domain.merge import Handover, Merge, SameEvent
from processors.domain.notification import Notification, Outbound, Receipt, Response
from processors.domain.offender import HiddenPerson, KnownPerson, OffenderStanding, StaffAction
from processors.domain.policy import Policy
from processors.domain.quarantine import QuarantinedRecord
from processors.domain.registration import (
    Enrolment,
    NearMatch,
    PresentStanding,
    Reachable,
    RegistrationStatus,
    Verification,
    VerificationPermit,
)
from processors.domain.review import OffenderAction, Review, ReviewAction
from processors.domain.seal import DigestKey
from processors.domain.sending import SendIntent
from processors.domain.submission import Submission
from processors.domain.tally import PartEnded, PartMatched, PartRepeated, RegistrantTold
from processors.domain.tick import Tick

DAY: Final = 86_400_000
FOREVER: Final = -1
PURGED_SEGMENT: Final = 600_000  # segment.ms of every purged topic
SEGMENT: Final = DAY // 4  # segment.ms of every other topic that is compacted or personal
TOMBSTONES_KEPT: Final = 7 * DAY  # delete.retention.ms of every compacted topic


@dataclass(frozen=True, slots=True)
class Topic:
    """
    One topic; `name` is without the prefix, `retention` is in milliseconds, `key` describes the partitioning key.

    `partitions` is a number, or "shared" if the topic follows the pipeline's partition count (setting `VN_PARTITIONS`).
    `stamped`: the broker sets the timestamp on arrival (LogAppendTime); for a submission this is its receive time.
    `external`: outsiders write or read it.
    `fixed`: keeps the partition count it was created with when the pipeline gets more partitions. No stage reads such a topic,
    and a compacted one would otherwise hold a key in two partitions.
    `purged` (compacted topics): replaced and deleted values are off the disk after an hour and a quarter.
    `personal`: holds contact data that is readable or sealed with a key of VN_KEY_FILE. Its segments are short, since a broker
    deletes only whole segments, and never the active one.
    """

    name: str
    records: tuple[type, ...]
    key: str
    partitions: int | Literal["shared"] = "shared"
    retention: int = 30 * DAY
    compacted: bool = False
    stamped: bool = False
    external: bool = False
    purged: bool = False
    personal: bool = False
    fixed: bool = False


SUBMISSIONS = Topic("submissions", (Submission,), "agency ORI", stamped=True, external=True)
REGISTRATIONS = Topic("registrations", (RegistrationForm,), "registration id", stamped=True, external=True, personal=True)
RECEIPTS = Topic("receipts", (ReceiptForm,), "any", stamped=True, external=True, personal=True)
VERIFICATIONS = Topic("verifications", (VerificationForm,), "registration id", stamped=True, external=True, personal=True)
INBOUND = Topic("inbound", (InboundForm,), "any", stamped=True, external=True, personal=True)
ERASURES = Topic("erasures", (ErasureRequest,), "registrant id", stamped=True, external=True)
REVIEW_ACTIONS = Topic("review.actions", (ReviewAction, OffenderAction), "review id", stamped=True, external=True)
POLICIES = Topic("policies", (Policy,), "setting and scope", partitions=1, retention=FOREVER, compacted=True, external=True)
QUARANTINE = Topic("quarantine", (QuarantinedRecord,), "place of the record", partitions=1, retention=90 * DAY, external=True)
CLOCK = Topic("clock", (Tick,), "none", partitions=1)
CLOCK_CHECK = Topic("clock.check", (Tick,), "none", retention=DAY, stamped=True, fixed=True)

INTAKE = Topic("intake", (Intake,), "none: one order", partitions=1, retention=7 * DAY, personal=True)
EVENTS = Topic("events", (Event, Enrolment, ReviewAction, Merge), "offender")
DISTINCT = Topic("events.distinct", (Event, Enrolment, ReviewAction, Merge, SameEvent), "offender")
CONFIRMED = Topic("events.confirmed", (Event, Enrolment, Merge, SameEvent), "offender")
DEDUPE_HANDOVER = Topic("dedupe.handover", (Handover,), "offender that the state goes to")
VALIDATE_HANDOVER = Topic("validate.handover", (Handover,), "offender that the state goes to")
MATCH_HANDOVER = Topic("match.handover", (Handover,), "offender that the state goes to")
TALLY = Topic("tally", (PartEnded, PartMatched, RegistrantTold, PartRepeated), "submission")
NOTIFICATIONS = Topic("notifications", (Notification, PresentStanding), "registrant id")
REGISTRANTS = Topic(
    "registrants",
    (Reachable, NearMatch, PresentStanding, Receipt, ReviewAction, Verification, VerificationPermit, Inbound, Erasure),
    "registrant id",
    personal=True,
)
KEYS = Topic("keys", (RegistrantKey,), "registrant id", retention=FOREVER, compacted=True, purged=True)
KEY_IDS = Topic("key.ids", (DigestKey,), "key id", partitions=1, retention=FOREVER, compacted=True)
ERASED = Topic("erased", (Erased,), "keyed digest of the registrant id", partitions=1, retention=FOREVER, compacted=True)

OUTBOUND = {
    "sms": Topic("outbound.sms", (Outbound,), "registrant id", retention=7 * DAY, external=True, fixed=True, personal=True),
    "email": Topic("outbound.email", (Outbound,), "registrant id", retention=7 * DAY, external=True, fixed=True, personal=True),
    "voice": Topic("outbound.voice", (Outbound,), "registrant id", retention=7 * DAY, external=True, fixed=True, personal=True),
}
OUTBOUND_CANARY = Topic("outbound.canary", (Outbound,), "registrant id", partitions=1, retention=DAY)
SENDS = Topic(  # partitioned like OUTBOUND
    "sends", (SendIntent,), "channel and reference", retention=FOREVER, compacted=True, fixed=True
)
REGISTRATION_STATUS = Topic(
    "registration.status", (RegistrationStatus,), "registration id", retention=FOREVER, compacted=True, external=True, fixed=True
)
RESPONSES = Topic("responses", (Response,), "agency ORI", external=True, fixed=True)
REVIEWS = Topic("reviews", (Review,), "review id", retention=FOREVER, compacted=True, external=True, fixed=True)
EXPECTATIONS = Topic("expectations", (Expectation,), "expectation id", retention=FOREVER, compacted=True, external=True, fixed=True)
DEAD_LETTERS = Topic("dead-letters", (DeadLetter,), "dead letter id", retention=90 * DAY, external=True, fixed=True, personal=True)
DEAD_LETTER_KEYS = Topic(
    "dead-letters.keys", (RegistrantKey,), "dead letter id", retention=FOREVER, compacted=True, purged=True, fixed=True
)
DEAD_LETTERS_SETTLED = Topic(
    "dead-letters.settled", (DeadLetterSettled,), "dead letter id", partitions=1, retention=FOREVER, compacted=True, external=True
)
PEOPLE = Topic("people", (KnownPerson,), "offender", retention=FOREVER, compacted=True, external=True, fixed=True)
STANDINGS = Topic("standings", (OffenderStanding,), "offender", retention=FOREVER, compacted=True, external=True, fixed=True)
PEOPLE_HIDDEN = Topic("people.hidden", (HiddenPerson,), "identifier", partitions=1, retention=FOREVER, compacted=True, external=True)
CONSOLE_LOG = Topic("console.log", (StaffAction,), "none", partitions=1, retention=3 * 365 * DAY, external=True)
AGENCIES = Topic("agencies", (AgencyHeard,), "agency ORI", partitions=1, retention=FOREVER, compacted=True, external=True)
DECISIONS = Topic("decisions", (Verdicts,), "stage", retention=3 * 365 * DAY, external=True, fixed=True)


def changelog(stage: str, partitions: int | Literal["shared"] = "shared") -> Topic:
    """Return the compacted topic that is the authoritative copy of a stage's state; partitioned like the stage's inputs."""
    return Topic(f"{stage}.state", (), "state key", partitions=partitions, retention=FOREVER, compacted=True)


IDENTIFY_STATE = changelog("identify", 1)
DEDUPE_STATE = changelog("dedupe")
VALIDATE_STATE = changelog("validate")
MATCH_STATE = changelog("match")
DELIVER_STATE = changelog("deliver")
ANSWER_STATE = changelog("answer")

TOPICS: Final[tuple[Topic, ...]] = (
    SUBMISSIONS,
    REGISTRATIONS,
    RECEIPTS,
    VERIFICATIONS,
    INBOUND,
    ERASURES,
    REVIEW_ACTIONS,
    POLICIES,
    QUARANTINE,
    CLOCK,
    CLOCK_CHECK,
    INTAKE,
    EVENTS,
    DISTINCT,
    CONFIRMED,
    DEDUPE_HANDOVER,
    VALIDATE_HANDOVER,
    MATCH_HANDOVER,
    TALLY,
    NOTIFICATIONS,
    REGISTRANTS,
    KEYS,
    KEY_IDS,
    ERASED,
    *OUTBOUND.values(),
    OUTBOUND_CANARY,
    SENDS,
    REGISTRATION_STATUS,
    RESPONSES,
    REVIEWS,
    EXPECTATIONS,
    DEAD_LETTERS,
    DEAD_LETTER_KEYS,
    DEAD_LETTERS_SETTLED,
    PEOPLE,
    STANDINGS,
    PEOPLE_HIDDEN,
    CONSOLE_LOG,
    AGENCIES,
    DECISIONS,
    IDENTIFY_STATE,
    DEDUPE_STATE,
    VALIDATE_STATE,
    MATCH_STATE,
    DELIVER_STATE,
    ANSWER_STATE,
)
