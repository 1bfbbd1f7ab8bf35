"""Runs one stage in this process: `vn run deliver` would run `answer` as well, and start either again when it is killed."""

import sys

from processors.pipeline import STAGES
from processors.runtime.run.supervise import run_stage
from processors.runtime.run.telemetry import configure
from processors.runtime.settings import Settings

if __name__ == "__main__":
    settings = Settings()
    configure(settings.log_level, settings.log_format)
    (stage,) = (each for each in STAGES if each.name == sys.argv[1])
    sys.exit(run_stage(stage, STAGES, settings))
