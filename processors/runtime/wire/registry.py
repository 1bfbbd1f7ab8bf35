"""Confluent schema registry client: registers our schemas at start-up, looks up outsiders' schemas later."""

import json
from collections import Counter
from typing import Final, Protocol

import httpx2
from confluent_kafka.schema_registry import Schema, SchemaRegistryClient, SchemaRegistryError

from processors.runtime.errors import Retry, Stop
from processors.runtime.wire.schemas import Version, short_name

TIMEOUT: Final = 5
MAX_UNAVAILABLE: Final = 10  # tries for one id that the registry may answer with "unavailable"
CONFLICT: Final = 409
TOO_MANY: Final = 429
SERVER: Final = 500


class Registry(Protocol):
    """What the codec needs of a schema registry."""

    def register(self, version: Version) -> int:
        """Return the schema's id; registers it if necessary."""

    def schema(self, identity: int) -> Version | None:
        """Return the schema of an id; None if it is not an Avro schema."""


class ConfluentRegistry:
    """The registry at `url`; subjects are record names prefixed by `prefix`."""

    def __init__(self, url: str, prefix: str) -> None:
        self._prefix = prefix
        self._unavailable: Counter[int] = Counter()
        try:
            self._client = SchemaRegistryClient({"url": url, "timeout": TIMEOUT, "max.retries": 1})
        except ValueError:
            raise Stop("SCHEMA_REGISTRY_URL is not a URL: it begins with http:// or https://") from None

    def register(self, version: Version) -> int:
        """Return the schema's id; raises Stop if the registry refuses it, Retry if it does not answer."""
        subject = f"{self._prefix}{version.record}"
        try:
            return self._client.register_schema(subject, Schema(json.dumps(version.source), "AVRO"))
        except SchemaRegistryError as error:
            if error.http_status_code == CONFLICT:
                raise Stop(
                    f"the schema registry holds an incompatible {subject}: run the version that wrote it, or use another prefix"
                ) from None
            raise _error_of_status(error) from None
        except httpx2.HTTPError as error:
            raise _no_answer_error(error) from None

    def schema(self, identity: int) -> Version | None:
        """
        Return the schema of an id; None if the registry has none, or if it is not a single self-contained record.

        The id is an outsider's: no answer about it may stop the stage. While the registry does not answer, or answers that it
        is unavailable, Retry is raised; after MAX_UNAVAILABLE such answers about one id, the id counts as unknown.
        """
        try:
            found = self._client.get_schema(identity)
        except SchemaRegistryError as error:
            self._unavailable[identity] += error.http_status_code >= SERVER or error.http_status_code == TOO_MANY
            if 0 < self._unavailable[identity] < MAX_UNAVAILABLE:
                raise Retry(f"the schema registry answers {error.http_status_code}") from None
            return None
        except httpx2.HTTPError as error:
            raise _no_answer_error(error) from None
        if found.schema_type != "AVRO" or found.references or not found.schema_str:
            return None
        return self_contained(found.schema_str)


def self_contained(text: str) -> Version | None:
    """Return a record's schema; None for any other type of schema."""
    try:
        source = json.loads(text)
    except (ValueError, RecursionError):
        return None
    named = isinstance(source, dict) and source.get("type") == "record" and isinstance(source.get("name"), str)
    return Version(short_name(source["name"]), source) if named else None


def _error_of_status(error: SchemaRegistryError) -> Retry | Stop:
    if error.http_status_code >= SERVER or error.http_status_code == TOO_MANY:
        return Retry(f"the schema registry answers {error.http_status_code}")
    return Stop(f"the schema registry refuses with {error.http_status_code}: check SCHEMA_REGISTRY_URL and its credentials")


def _no_answer_error(error: httpx2.HTTPError) -> Retry:
    return Retry(f"the schema registry does not answer ({type(error).__name__})")
