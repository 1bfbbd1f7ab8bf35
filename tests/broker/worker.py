"""Runs the probe stage as a process of its own, as `vn run` runs a unit."""

import signal
import sys

from processors.domain.seal import Seal
from processors.runtime.codec import Codec
from processors.runtime.runner import House, Runner
from processors.runtime.settings import Settings
from processors.runtime.telemetry import configure
from tests.broker.probe import PROBE, NoRules

if __name__ == "__main__":
    settings = Settings()
    configure(settings.log_level, settings.log_format)
    runner = Runner(PROBE, House(settings, Codec(), NoRules(), Seal(bytes(64))))
    signal.signal(signal.SIGTERM, lambda *_: runner.stop())
    runner.run()
    sys.exit(0)
