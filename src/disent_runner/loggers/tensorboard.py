"""`logger=tensorboard`: event files in the run folder."""

from collections.abc import Sequence
from pathlib import Path
from typing import final

from PIL import Image
from pytorch_lightning.loggers import TensorBoardLogger

from disent_runner.loggers.mirror import COLUMNS, Mirror, RunNotes, headline_values, table_of, values_of
from disent_runner.machine.markdown import markdown_table, markdown_text
from disent_runner.machine.ranges import Count, Text, WholeNumber
from disent_runner.runs.score_rows import Score


@final
class TensorBoardMirror(TensorBoardLogger, Mirror):
    """Lightning's logger, with pictures as they are in the run folder, numbers, their table, and the run's settings
    beside its headline numbers under HPARAMS.

    Raises ValueError without the extra.
    """

    def __init__(
        self,
        *,
        run: RunNotes,
        save_dir: Text,
        name: str | None = None,
        version: int | str | None = None,
        log_graph: bool = False,
        prefix: str = "",
        sub_dir: Text | None = None,
        max_queue: Count = 10,
        flush_secs: Count = 120,
        purge_step: WholeNumber | None = None,
        filename_suffix: str = "",
    ) -> None:
        try:
            super().__init__(
                save_dir,
                name,
                version,
                log_graph,
                default_hp_metric=False,
                prefix=prefix,
                sub_dir=sub_dir,
                max_queue=max_queue,
                flush_secs=flush_secs,
                purge_step=purge_step,
                filename_suffix=filename_suffix,
            )
        except ModuleNotFoundError:
            raise ValueError(
                "logger=tensorboard needs the extra `tensorboard`: pip install 'disent-runner[tensorboard]'"
            ) from None
        self.run = run

    def log_scores(self, scores: Sequence[Score], step: int | None) -> None:
        known = headline_values(scores)
        self.log_metrics({name: value for name, value in values_of(scores).items() if name not in known}, step)
        rows = [["" if cell is None else markdown_text(str(cell)) for cell in row] for row in table_of(scores)]
        self.experiment.add_text("metrics", markdown_table(COLUMNS, rows), step)
        own = {"model": self.run.model, "dataset": self.run.dataset, "seed": self.run.seed, **self.run.origin}
        self.log_hyperparams({**self.run.settings, **own}, known, step)

    def log_pictures(self, pictures: Sequence[Path], step: int) -> None:
        from tensorboard.compat.proto.summary_pb2 import Summary  # pyright: ignore[reportAttributeAccessIssue]

        for path in pictures:
            with Image.open(path) as picture:
                width, height = picture.size
            image = Summary.Image(width=width, height=height, colorspace=3, encoded_image_string=path.read_bytes())
            summary = Summary(value=[Summary.Value(tag=f"figures/{path.stem}", image=image)])
            self.experiment.file_writer.add_summary(summary, step)  # GIFs move there, which add_image would end
