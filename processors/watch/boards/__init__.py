"""
The operators' boards, once: Grafana's dashboards, `vn top` and the console's overview are made from these definitions.

panel.py     what a panel and a board are
duty.py      who has not been told yet, and why; the board to look at first
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

# What `vn top` and the console show of each stage, and beside them.
OF_STAGES: Final = tuple(
    each for board in (PIPELINE, DUTY) for each in board.panels if each.reading is not None and each.reading.by == "unit"
)
OF_ALL: Final = tuple(
    each for board in (PROTOCOL, REVIEWS, DUTY) for each in board.panels if each.reading is not None and each.kind == "stat"
)

BOARDS: Final = (DUTY, PIPELINE, AGENCIES, DELIVERY, REVIEWS, PROTOCOL)
