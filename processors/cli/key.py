"""`vn key`: the keys of contact data in `VN_KEY_FILE`, newest first."""

from collections import Counter
from typing import Annotated, Any

import typer

from processors.cli.app import new_app
from processors.cli.output import JSON, print_rows
from processors.domain.erasure import RegistrantKey
from processors.domain.seal import key_id, named_key
from processors.runtime.kafka.user_client import UserClient
from processors.runtime.key_file import add_key
from processors.runtime.settings import Settings
from processors.topics import KEYS

app = new_app("Lists the keys of contact data; adds a new one.")


@app.command("list")
def list_keys(*, as_json: Annotated[bool, JSON] = False) -> None:
    """List the keys by id, newest first, what each is used for, and how many registrants' keys it seals."""
    settings = Settings()
    table = UserClient(settings).table(KEYS)
    seal = settings.seal()
    sealed = Counter((named_key(each.sealed) or b"").hex() for each in table.values() if isinstance(each, RegistrantKey))
    keys = [key_id(key).hex() for key in (seal.key, *seal.older)]
    rows: list[dict[str, Any]] = [
        {"key": each, "does": key_uses(number, len(keys)), "registrants": sealed.pop(each, 0)} for number, each in enumerate(keys)
    ]
    rows += [{"key": each, "does": "is not in VN_KEY_FILE", "registrants": count} for each, count in sealed.items()]
    print_rows(rows, ("key", "does", "registrants"), title="Keys", as_json=as_json, empty="There are no keys.")


@app.command()
def rotate() -> None:
    """
    Add a new key to VN_KEY_FILE, which encrypts from now on; the old keys still decrypt.

    Then copy the file to every machine: stages notice it within a second and need no restart, and deliver seals the
    registrants' keys again with the new one. `vn key list` shows when no key is sealed with an old one any more.
    """
    settings = Settings()
    typer.echo(add_key(settings.keys_at()).key_id)


def key_uses(number: int, count: int) -> str:
    """Return what a key is used for, by its line number in the file."""
    does = ["closes" if number == 0 else "opens"]
    return " and ".join([*does, "makes digests"] if number == count - 1 else does)
