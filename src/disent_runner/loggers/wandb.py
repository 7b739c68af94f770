"""`logger=wandb`: a run of Weights & Biases for each run folder."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, final

from pytorch_lightning.loggers import WandbLogger

from disent_runner.loggers.mirror import COLUMNS, Mirror, RunNotes, headline_values, table_of, values_of
from disent_runner.runs.score_rows import Score

_LONGEST_TAG = 64
_LEFT_OUT = ("wandb", "tensorboard", "run.log")
"""Of a run folder: what loggers wrote there themselves, and messages, which may show more of a machine than numbers."""


@final
class WandbMirror(WandbLogger, Mirror):
    """Lightning's logger, with the run's own name, group, tags, numbers, tables and pictures.

    `name`, `group`, `job_type` and `notes` that are None are the run's own; `tags` are added to the run's. `artifact`
    keeps the run folder as an artifact too. What else is given goes to wandb.init. Raises ValueError where W&B cannot
    begin a run, such as without a key.
    """

    def __init__(
        self,
        *,
        run: RunNotes,
        artifact: bool = False,
        name: str | None = None,
        id: str | None = None,
        group: str | None = None,
        job_type: str | None = None,
        tags: Sequence[str] = (),
        **settings: Any,
    ) -> None:
        super().__init__(
            name=name or run.title,
            id=id or run.name,
            group=group or run.id,
            job_type=job_type or run.job_type,
            tags=[tag[:_LONGEST_TAG] for tag in (*run.tags, *tags)],
            **settings,
        )
        self.run = run
        self.keeps_folder = artifact
        import wandb

        try:
            self.experiment.config.update({"origin": {"id": run.id, **run.origin}})
        except wandb.Error as error:
            reason = " ".join(str(error).split())
            raise ValueError(f"logger=wandb: {reason}; logger.wandb.offline=true needs no key") from None

    def log_scores(self, scores: Sequence[Score], step: int | None) -> None:
        values, known = values_of(scores), headline_values(scores)
        for name in values.keys() - known.keys():  # in the history and the table, where hundreds are no trouble
            self.experiment.define_metric(name, step_metric="trainer/global_step", summary="none", hidden=True)
        self.log_metrics(values, step)
        self.experiment.summary.update(known)
        self.log_table("metrics", columns=list(COLUMNS), data=table_of(scores), step=step)

    def log_pictures(self, pictures: Sequence[Path], step: int) -> None:
        import wandb

        shown: dict[str, Any] = {
            f"figures/{path.stem}": (
                wandb.Video(str(path), format="gif") if path.suffix == ".gif" else wandb.Image(str(path))
            )
            for path in pictures
        }
        if shown:
            self.log_metrics(shown, step)

    def log_folder(self) -> None:
        if not self.keeps_folder:
            return
        import wandb

        artifact = wandb.Artifact(f"run-{self.run.name}", type="run", metadata=dict(self.run.origin))
        for path in sorted(self.run.folder.rglob("*")):
            place = path.relative_to(self.run.folder)
            if path.is_file() and not path.is_symlink() and place.parts[0] not in _LEFT_OUT and path.name[0] != ".":
                artifact.add_file(str(path), name=place.as_posix(), policy="immutable")
        self.experiment.log_artifact(artifact)
