"""
Definitions of the operators' boards, from which Grafana's dashboards, `vn top` and the console's overview are generated.

panel.py     what a panel and a board are
duty.py      who has not been notified yet, and why; the board to look at first
pipeline.py  does every stage decide, and how far behind is it
agencies.py  which agency is silent, refused or overdue
delivery.py  do messages leave, and do they arrive
reviews.py   what waits for a person
protocol.py  Kafka, Redis and the protocol between them
"""

from typing import Final

from processors.watch.boards.agencies import AGENCIES
from processors.watch.boards.delivery import DELIVERY
from processors.watch.boards.duty import DUTY
from processors.watch.boards.pipeline import PIPELINE
from processors.watch.boards.protocol import PROTOCOL
from processors.watch.boards.reviews import REVIEWS

# The panels of `vn top`: for each stage (also in the console), and for the pipeline as a whole.
STAGE_PANELS: Final = tuple(
    each for board in (PIPELINE, DUTY) for each in board.panels if each.reading is not None and each.reading.by == "unit"
)
OVERALL_PANELS: Final = tuple(
    each for board in (PROTOCOL, REVIEWS, DUTY) for each in board.panels if each.reading is not None and each.kind == "stat"
)

BOARDS: Final = (DUTY, PIPELINE, AGENCIES, DELIVERY, REVIEWS, PROTOCOL)
