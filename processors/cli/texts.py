"""`vn texts`: shows the texts that registrants get."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Annotated, Final, get_args

import typer

from processors.cli.app import new_app
from processors.cli.output import JSON, print_json
from processors.deliver.sample import full_notice, sample_about_registration, sample_message, sample_standing
from processors.deliver.state import Content
from processors.deliver.wording.segments import encoding, segments
from processors.deliver.wording.templates import Message, call_prompt
from processors.domain.event import TellingKind
from processors.domain.notification import Outbound
from processors.domain.registration import Channel
from processors.providers.html import html_of
from processors.providers.ssml import ssml_of
from processors.rules.check_texts import languages_of
from processors.rules.load import load_rules
from processors.rules.rule_set import EventCode, Rules, RuleSet
from processors.runtime.errors import UsageError, UserError
from processors.runtime.settings import Settings

app = new_app("Show the texts that registrants get.")

CHANNELS: Final[tuple[Channel, ...]] = get_args(Channel)
TELLINGS: Final[tuple[TellingKind, ...]] = get_args(TellingKind)
NEWS: Final[Content] = "news"
ABOUT_REGISTRATIONS: Final[tuple[Content, ...]] = tuple(each for each in get_args(Content) if each != NEWS)


@app.callback()
def texts() -> None:
    """Show the texts that registrants get."""


@app.command()
def preview(  # noqa: PLR0913  its options
    subtype: Annotated[
        str,
        typer.Argument(
            help="The event subtype, such as Departure; or type/subtype, such as Jail/Escape; "
            f"or a message about a registration: {', '.join(ABOUT_REGISTRATIONS)}."
        ),
    ],
    *,
    language: Annotated[str, typer.Option(help="The language, such as en or es.")] = "en",
    channel: Annotated[str | None, typer.Option(help="sms, email or voice. Default: all.")] = None,
    kind: Annotated[str, typer.Option(help="news, change or cancellation.")] = "news",
    html: Annotated[bool, typer.Option("--html", help="Print nothing but the email's HTML document.")] = False,
    as_json: Annotated[bool, JSON] = False,
) -> None:
    """
    Print every text about an event or a registration as a registrant gets it, with an invented offender, place, time and code.

    A text message comes with its encoding and number of segments, a call as the SSML that is spoken.
    """
    if channel is not None and channel not in CHANNELS:
        raise UsageError(f"--channel is {' or '.join(CHANNELS)}")
    if kind not in TELLINGS:
        raise UsageError(f"--kind is {' or '.join(TELLINGS)}")
    rules = load_rules(Settings().rules_dir)
    at = int(datetime.now(UTC).timestamp() * 1000)
    rule_set = rules.rule_set("", at)
    emergency, messages = samples(rules, subtype, next(each for each in TELLINGS if each == kind), language, at)
    if language not in languages_of(rule_set):
        raise UsageError(f"there is no text in {language!r}: the languages are {', '.join(languages_of(rule_set))}")
    for each in CHANNELS:
        if ("email" if html else channel) not in {None, each}:
            continue
        message = messages(each)
        if message is None:
            raise UserError(f"there is no text about {subtype} in {language!r}: `vn rules check` says what each language lacks")
        outbound = as_sent(message, each, emergency=emergency, at=at)
        if html:
            typer.echo(html_of(outbound), nl=False)
        elif as_json:
            print_json(
                {"channel": each, "language": language, "subject": message.subject, "body": message.body}
                | encoding_and_segments(message, each)
            )
        else:
            typer.echo("\n".join((*lines_of(message, each, outbound, rule_set), "")))


def samples(rules: Rules, subject: str, kind: TellingKind, language: str, at: int) -> tuple[bool, Callable[[Channel], Message | None]]:
    """Return whether the subject, an event subtype or a message about a registration, is an emergency, and its message by channel."""
    content = next((each for each in ABOUT_REGISTRATIONS if each == subject), None)
    if content is not None:
        return False, lambda channel: sample_about_registration(rules, content, language, channel, at, sample_standing(at))
    code = code_of(rules.rule_set("", at), subject)
    notice = full_notice(code, at, kind)
    return code.emergency, lambda channel: sample_message(rules, notice, language, channel)


def code_of(rule_set: RuleSet, subtype: str) -> EventCode:
    """Return the first code of that subtype, or the one of `type/subtype`."""
    for name, kind in ((subtype, ""), (subtype.partition("/")[2], subtype.partition("/")[0])):
        for code in rule_set.codes.values():
            if code.subtype == name and kind in {"", code.event_type}:
                return code
    raise UsageError(f"there is no event subtype {subtype}: `vn rules show` lists those there are")


def as_sent(message: Message, channel: Channel, *, emergency: bool, at: int) -> Outbound:
    """Return the message as a provider would get it."""
    return Outbound(
        reference="SAMPLE",
        notification_id="SAMPLE",
        attempt=1,
        registrant_id="SAMPLE",
        kind="notification",
        channel=channel,
        to="",
        language=message.language,
        subject=message.subject,
        body=message.body,
        emergency=emergency,
        event=None,
        offenders=None,
        agency=None,
        message_ids=(),
        created_at=at,
        not_before=None,
        expires_at=at,
        confirm=channel == "voice" and emergency,
    )


def encoding_and_segments(message: Message, channel: Channel) -> dict[str, object]:
    """Return a text message's encoding and number of segments."""
    return {"encoding": encoding(message.body), "segments": segments(message.body)} if channel == "sms" else {}


def lines_of(message: Message, channel: Channel, outbound: Outbound, rule_set: RuleSet) -> Iterator[str]:
    """Yield the lines of one channel's message."""
    match channel:
        case "sms":
            count = segments(message.body)
            yield f"--- text message, {encoding(message.body).upper()}, {count} segment{'' if count == 1 else 's'}"
            yield message.body
        case "email":
            yield "--- email"
            yield f"Subject: {message.subject}"
            yield ""
            yield message.body
        case "voice":
            yield "--- call"
            yield ssml_of(outbound, lambda language, confirm: call_prompt(rule_set, language, confirm=confirm))
