"""The ports of a local folder's services: chosen once, then recorded."""

import json
import secrets
import socket
from pathlib import Path
from typing import Final

from processors.runtime.errors import UserError

# Below the range of ephemeral ports: otherwise an outgoing connection could occupy the port of a service that is briefly down,
# even a client's own attempt to reach it, since TCP can connect a port to itself.
LOWEST: Final = 10_000
HIGHEST: Final = 32_000
SERVICES: Final = ("broker", "controller", "store")


def recorded_ports(folder: Path) -> dict[str, int]:
    """Return the ports recorded in the folder; choose and record free ones if there are none."""
    file = ports_file(folder)
    if file.exists():
        try:
            return {service: int(json.loads(file.read_text())[service]) for service in SERVICES}
        except (ValueError, KeyError, TypeError) as error:
            raise UserError(f"{file} is damaged: delete it to get new ports") from error
    ports = dict(zip(SERVICES, free_ports(len(SERVICES)), strict=True))
    partial = file.with_suffix(".partial")
    partial.write_text(json.dumps(ports))
    partial.replace(file)
    return ports


def ports_file(folder: Path) -> Path:
    return folder / "ports.json"


def is_free(port: int) -> bool:
    """Whether a service could listen on this loopback port now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def free_ports(count: int) -> list[int]:
    """Return `count` ports on which nothing listens."""
    found: set[int] = set()
    while len(found) < count:
        port = LOWEST + secrets.randbelow(HIGHEST - LOWEST)
        if is_free(port):
            found.add(port)
    return list(found)
