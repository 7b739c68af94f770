"""`logger=wandb`: a run of Weights & Biases for each run folder."""

from collections.abc import Sequence
from inspect import signature
from pathlib import Path
from typing import Annotated, Any, Literal, final

from pytorch_lightning.loggers import WandbLogger

from disent_runner.loggers.mirror import COLUMNS, Mirror, RunNotes, headline_values, table_of, values_of
from disent_runner.machine.ranges import Names, OneOf, Text
from disent_runner.runs.score_rows import Score

Resume = bool | Annotated[str, OneOf("allow", "never", "must", "auto")] | None
_LONGEST_TAG = 64
_LEFT_OUT = ("wandb", "tensorboard", "run.log")
"""Of a run folder: what loggers wrote there themselves, and messages, which may show more of a machine than numbers."""


@final
class WandbMirror(WandbLogger, Mirror):
    """Lightning's logger, with the run's own name, group, tags, numbers, tables and pictures.

    `name`, `group`, `job_type` and `notes` that are None are the run's own; `tags` are added to the run's. `artifact`
    keeps the run folder as an artifact too. What else is given goes to wandb.init. Raises ValueError where W&B cannot
    begin a run, such as without a key, or for what it has no word for.
    """

    def __init__(
        self,
        *,
        run: RunNotes,
        project: Text,
        offline: bool = True,
        save_dir: Text,
        artifact: bool = False,
        entity: Text | None = None,
        name: Text | None = None,
        id: Text | None = None,
        group: Text | None = None,
        job_type: Text | None = None,
        tags: Names = (),
        notes: Text | None = None,
        resume: Resume = "allow",
        log_model: bool | Literal["all"] = False,
        prefix: str = "",
        **settings: Any,
    ) -> None:
        import wandb

        known = {*signature(wandb.init).parameters, *signature(WandbLogger).parameters}
        if unknown := settings.keys() - known:
            raise ValueError(f"logger.wandb.{min(unknown)}: wandb.init has no such setting")
        super().__init__(
            project=project,
            offline=offline,
            save_dir=save_dir,
            entity=entity,
            name=name or run.title,
            id=id or run.name,
            group=group or run.id,
            job_type=job_type or run.job_type,
            tags=[tag[:_LONGEST_TAG] for tag in (*run.tags, *tags)],
            notes=notes,
            resume=resume,
            log_model=log_model,
            prefix=prefix,
            **settings,
        )
        self.run = run
        self.keeps_folder = artifact
        try:
            self.experiment.config.update({"origin": {"id": run.id, **run.origin}})
        except (wandb.Error, TypeError, ValueError) as error:
            reason = " ".join(str(error).split())
            key = "; logger.wandb.offline=true needs no key" if isinstance(error, wandb.Error) and not offline else ""
            raise ValueError(f"logger=wandb: {reason}{key}") from None

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
