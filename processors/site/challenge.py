"""
Proof of work for clients that look up often, compatible with ALTCHA: find the number with a given salted SHA-256.

A client without JavaScript waits instead: an unsolved challenge is accepted once it is a minute old. Each is accepted once.
"""

import base64
import binascii
import hashlib
import hmac
import secrets
from typing import Final

import msgspec

MAX_NUMBER: Final = 60_000
WAIT: Final = 60_000  # milliseconds until an unsolved challenge is accepted
VALID: Final = 15 * 60_000


class Challenge(msgspec.Struct, frozen=True):
    """What a client gets; `salt` contains the time at which it was created."""

    challenge: str
    salt: str
    signature: str
    algorithm: str = "SHA-256"
    maxnumber: int = MAX_NUMBER


class Solution(msgspec.Struct, frozen=True):
    """What a client returns; `number` is None if it waited instead."""

    challenge: str
    salt: str
    signature: str
    number: int | None = None


class Challenges:
    """Creates challenges and accepts each once."""

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)
        self._used: dict[str, int] = {}

    def new(self, now: int) -> Challenge:
        salt = f"{secrets.token_hex(12)}?made={now}"
        challenge = digest(salt, secrets.randbelow(MAX_NUMBER))
        return Challenge(challenge, salt, self._signature(challenge, salt))

    def accept(self, given: str, now: int) -> bool:
        """Whether `given` is a solution, or a long enough wait, of one of our challenges that was not used before."""
        try:
            solution = msgspec.json.decode(base64.b64decode(given, validate=True), type=Solution)
            made = int(solution.salt.rpartition("=")[2])
        except (binascii.Error, msgspec.DecodeError, ValueError, RecursionError):
            return False
        if not hmac.compare_digest(solution.signature.encode(), self._signature(solution.challenge, solution.salt).encode()):
            return False
        self._used = {signature: until for signature, until in self._used.items() if until > now}
        if solution.signature in self._used or not made <= now < made + VALID:
            return False
        solved = solution.number is not None and digest(solution.salt, solution.number) == solution.challenge
        if not solved and now < made + WAIT:
            return False
        self._used[solution.signature] = made + VALID
        return True

    def _signature(self, challenge: str, salt: str) -> str:
        return hmac.new(self._key, f"{challenge}\0{salt}".encode(), hashlib.sha256).hexdigest()


def digest(salt: str, number: int) -> str:
    return hashlib.sha256(f"{salt}{number}".encode()).hexdigest()


def proof_of_waiting(challenge: Challenge) -> str:
    """Return what a client returns if it waits instead of solving the challenge."""
    return base64.b64encode(msgspec.json.encode(Solution(challenge.challenge, challenge.salt, challenge.signature))).decode()
