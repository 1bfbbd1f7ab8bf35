"""
Hands messages to Twilio.

The reference is part of the callback URL: Twilio has no idempotency key, and cannot be asked by our reference. An API call that
fails after the request was sent is therefore ambiguous until a callback arrives.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

import httpx2

from processors.domain.notification import Outbound
from processors.providers.outcome import Accepted, Ambiguous, SendOutcome, VendorUnavailable
from processors.providers.ssml import Prompt
from processors.providers.twilio.codes import outcome_of
from processors.providers.twilio.twiml import POST_AGAIN, twiml_of

NOT_PROCESSED: Final = frozenset({429, 503})  # statuses that mean that the request was certainly not processed
VALIDITY: Final = (1, 36_000)  # seconds that Twilio accepts as a ValidityPeriod
# One request per connection: on a reused one, a second response to a request would be taken for the response to the next.
ONE_CALL_EACH: Final = httpx2.Limits(max_keepalive_connections=0)
RING_SECONDS: Final = 30  # how long a call rings before it counts as not answered


@dataclass(frozen=True, slots=True)
class Account:
    """The account, the number or messaging service that messages come from, and the URL that Twilio reports to."""

    sid: str
    token: str
    sender: str
    callback_url: str
    base_url: str = "https://api.twilio.com"
    timeout: float = 15.0


class TwilioVendor:
    """One Twilio account, for text messages and calls."""

    def __init__(
        self, name: str, account: Account, prompt: Prompt, now: Callable[[], int], transport: httpx2.AsyncBaseTransport | None = None
    ) -> None:
        self.name = name
        self._account = account
        self._prompt = prompt
        self._now = now
        self._client = httpx2.AsyncClient(
            auth=(account.sid, account.token), timeout=account.timeout, transport=transport, limits=ONE_CALL_EACH
        )

    async def send(self, message: Outbound) -> SendOutcome:
        """Hand the message over."""
        resource = "Calls" if message.channel == "voice" else "Messages"
        url = f"{self._account.base_url}/2010-04-01/Accounts/{self._account.sid}/{resource}.json"
        left = max(1, message.expires_at - self._now()) / 1000  # seconds of the lease left: connecting must not take longer
        timeout = httpx2.Timeout(self._account.timeout, connect=min(self._account.timeout, left))
        try:
            answer = await self._client.post(url, data=self.form(message), timeout=timeout)
        except (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout) as error:
            return VendorUnavailable(f"Twilio could not be reached ({type(error).__name__})")
        except httpx2.HTTPError as error:
            return Ambiguous(f"the request was sent and not answered ({type(error).__name__})")
        return outcome_of_answer(answer)

    async def find(self, message: Outbound) -> SendOutcome:
        """Return that the outcome is unknown: Twilio's API cannot search by callback URL."""
        return Ambiguous(f"Twilio cannot be asked for {message.reference}")

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    def form(self, message: Outbound) -> dict[str, str]:
        """Return the fields of the request."""
        account = self._account
        callback = f"{account.callback_url}/{message.channel}/{quote(message.reference, safe='')}"
        common = {"To": message.to, "From": account.sender, "StatusCallback": callback + POST_AGAIN}
        if message.channel == "voice":
            return common | {
                "Twiml": twiml_of(message, callback, self._prompt),
                "MachineDetection": "DetectMessageEnd",
                "Timeout": str(RING_SECONDS),
                "StatusCallbackEvent": "completed",
            }
        left = (message.expires_at - self._now()) // 1000
        return common | {"Body": message.body, "ValidityPeriod": str(min(max(left, VALIDITY[0]), VALIDITY[1]))}


def outcome_of_answer(answer: httpx2.Response) -> SendOutcome:
    """Return the outcome of an answer of the API."""
    try:
        content = answer.json()
    except ValueError:
        content = {}
    code = content.get("code") if isinstance(content, dict) else None
    if answer.is_success:
        sid = content.get("sid") if isinstance(content, dict) else None
        return Accepted("accepted", f"Twilio {sid}") if sid else Ambiguous("Twilio answered without an id")
    if answer.status_code in NOT_PROCESSED:
        return VendorUnavailable(f"Twilio answered {answer.status_code}")
    if code is not None:
        return outcome_of(str(code))
    if answer.status_code >= 500:  # noqa: PLR2004  RFC 9110, section 15.6
        return Ambiguous(f"Twilio answered {answer.status_code} without a code")
    return VendorUnavailable(f"Twilio answered {answer.status_code} without a code")
