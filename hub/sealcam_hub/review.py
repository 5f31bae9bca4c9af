"""The owner's own annotation as the console and the command line use it: its parts, opened from one hub.

`review_queue` says what comes next, `review_marks` keeps what was said, `review_data` is the data set, `review_models`
has what was trained of it, `review_training` trains. design/hub.md, "Review".
"""

from __future__ import annotations

from dataclasses import dataclass

from sealcam_hub import audit
from sealcam_hub.home import Home
from sealcam_hub.review_data import DataSet
from sealcam_hub.review_marks import Marks, words
from sealcam_hub.review_models import Models
from sealcam_hub.review_queue import Queue
from sealcam_hub.review_training import Training
from sealcam_hub.review_words import Counts


@dataclass(frozen=True, slots=True)
class Review:
    """The parts."""

    queue: Queue
    marks: Marks
    data: DataSet
    models: Models
    training: Training

    def counts(self) -> Counts:
        """How many incidents are marked and how many wait.

        Raises:
            StorageError: the ledger can't be read.
        """
        found = words(self.marks.all())
        return Counts(sum(found.values()), found, self.queue.count())


def of(home: Home, actor: str = audit.CONSOLE) -> Review:
    """The parts of one hub; `actor` is who acts, as the audit log names him."""
    around = (home.store, home.keys, home.clock)
    wishes = home.wishes()
    data, models = DataSet(*around, actor), Models(*around, wishes, actor)
    return Review(Queue(home.store, home.ledger()), Marks(*around, wishes, actor), data, models, Training(data, models))
