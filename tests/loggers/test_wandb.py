"""What W&B keeps of a run, offline: nothing here has a network."""

import json

import wandb
from wandb.sdk.launch.sweeps.utils import create_sweep_command_args

from disent_runner.commands.options import in_order
from disent_runner.loggers.wandb import WandbMirror


def test_a_run_has_its_names_numbers_table_pictures_and_folder(notes, scores, pictures, tmp_path, monkeypatch):
    for key, value in {"MODE": "offline", "SILENT": "true", "DATA_DIR": tmp_path, "CACHE_DIR": tmp_path}.items():
        monkeypatch.setenv(f"WANDB_{key}", str(value))
    logger = WandbMirror(run=notes, artifact=True, entity="lab", project="p", tags=["mine"], save_dir=tmp_path)
    run = logger.experiment
    kept: list[wandb.Artifact] = []
    monkeypatch.setattr(run, "log_artifact", kept.append)
    logger.log_metrics({"train/loss": 3.0}, step=1)
    logger.log_scores(scores, 5)
    logger.log_pictures(pictures, 5)
    logger.log_folder()
    summary = dict(run.summary)
    wandb.finish()
    assert (run.id, run.name, run.group, run.job_type) == (
        *("0123abcd-seed-3", "betavae blob 0123abcd seed=3", "0123abcd", "train"),
    )
    assert (run.entity, set(run.tags or ())) == ("lab", {*notes.tags, "mine"})
    assert dict(run.config)["origin"] == {"id": "0123abcd", "sweep": "8d6e", "recipe": "me2026/fig1"}
    assert summary["mig"] == 0.25
    (table,) = tmp_path.glob("wandb/offline-run-*/files/media/table/metrics_*.table.json")
    assert [row[0] for row in json.loads(table.read_text())["data"]] == ["mig", "mig_x", "sap"]
    for kind, path in zip(("images", "videos"), pictures, strict=True):
        (shown,) = tmp_path.glob(f"wandb/offline-run-*/files/media/{kind}/figures/*{path.suffix}")
        assert shown.read_bytes() == path.read_bytes()
    artifact = kept[-1]  # after that of the table
    files = sorted(artifact.manifest.entries)
    assert files == ["config.yaml", "figures/samples.png", "figures/traversals.gif"]


def test_an_agent_of_a_wandb_sweep_types_what_disent_run_takes():
    command = {"args": {"model.beta": {"value": 4}, "optimizer.lr": {"value": 1e-4}}}
    typed = ["logger=wandb", *create_sweep_command_args(command)["args_no_hyphens"]]
    assert in_order(typed) == ["logger=wandb", "model.beta=4", "optimizer.lr=0.0001"]
