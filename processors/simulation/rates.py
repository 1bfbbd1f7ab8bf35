"""Volumes and probabilities; docs/simulation.md gives the source of each."""

from typing import Final

# Published by the compact's commission (what-is-icots): a year's transfer requests and activities, and the active cases.
TRANSFER_REQUESTS: Final = 150_000
ACTIVITIES: Final = 1_000_000
ACTIVE_CASES: Final = 102_000
DAYS: Final = 365

# Assumptions, since nobody publishes them: probabilities, each per message or case.
SHARES: Final[dict[str, float]] = {
    "other agencies": 0.6,
    "watched": 0.5,
    "registered later": 0.12,
    "registration changed": 0.10,
    "registration removed": 0.08,
    "registration expired": 0.05,
    "several offenders": 0.12,
    "own choice": 0.25,
    "unverified contact": 0.10,
    "xml": 0.3,
    "whole day": 0.12,
    "late": 0.08,
    "too late": 0.03,
    "do not validate": 0.02,
    "duplicate": 0.05,
    "redelivered": 0.02,
    "resubmitted": 0.03,
    "cancelled": 0.04,
    "changed": 0.04,
    "inconsequential": 0.03,
    "update first": 0.01,
    "cancel first": 0.01,
    "unknown reference": 0.01,
    "rejected": 0.03,
    "arrival first": 0.15,
    "arrival much too early": 0.08,
    "contradiction": 0.05,
    "impossible": 0.5,
    "past": 0.05,
    "too far ahead": 0.15,
    "filler": 0.10,
    "misspelt number": 0.10,
    "weak number": 0.10,
    "numbers meet late": 0.08,
}
