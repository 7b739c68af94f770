"""What the keys of conf/run.yaml and conf/trainer may be, and those of torch.optim, which declares no ranges itself.

Everything else is declared where it is read: see `declared`. A test holds this in step with the files.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from annotated_types import Gt, Le, Len, MinLen, Predicate

from disent_runner.assembly.declared import Part
from disent_runner.machine.ranges import (
    BelowOne,
    Count,
    Names,
    NonNegative,
    OneOf,
    Positive,
    Seed,
    Several,
    Share,
    SomeNames,
    Text,
    WholeNumber,
    distinct,
    increasing,
)

Stage = Annotated[str, OneOf("fit", "evaluate", "draw")]
Parts = Mapping[str, Part]
VERBOSE = bool | Text | list[Text]
"""hydra.verbose: all loggers, one, or several."""


class Dataset:
    """dataset.*: what every data set takes; what its own file adds is declared by its `card`."""

    card: Part
    source: Text
    check_hash: bool
    crop: Count | None
    grey: bool
    image_size: Count | None
    subset: Mapping[str, Count] | None
    split: Part | None
    joint: Part | None
    batch_size: Count
    replacement: bool
    dequantize: bool


class Parent:
    """A run that a model stands on: `run` and `overrides` are typed, the others are settled."""

    run: Text | None
    overrides: list[Text]
    folder: Text | None
    id: Text | None
    seed: Seed | None
    step: WholeNumber | None


class Trainer:
    """trainer.*."""

    max_steps: Count
    log_every: Count
    checkpoint_every: Count
    accelerator: Annotated[str, OneOf("auto", "cpu", "cuda", "mps")]
    precision: Annotated[str, OneOf("32-true", "bf16-mixed")]
    compile: Literal[False] | Annotated[str, OneOf("default", "reduce-overhead", "max-autotune")]
    data_on_device: bool


class Evaluation:
    """evaluation.*."""

    num_images: Several | None
    part: Annotated[str, OneOf("all", "training", "held_out")]
    batch_size: Count


class Run:
    """The keys at the top; those of run.yaml and what the groups make of it."""

    dataset: Dataset
    trainer: Trainer
    evaluation: Evaluation
    seed: Seed
    stages: Annotated[list[Stage], MinLen(1), Predicate(distinct)]
    run: Text | None
    trust: bool
    representation: Text
    continuous: Names | None
    discrete: Names | None
    factors: SomeNames | None
    objective: Text | None
    environment: Part | None
    schedule: Part | None
    study: Mapping[str, Any] | None
    output_root: Text
    data_dir: Text
    network: "Network"
    gan: "Gan"
    init: Part
    likelihood: Part
    optimizer: Part
    model: Part
    metric: Parts | None
    figure: Parts | None
    logger: Parts | None


OPTIONAL = frozenset({"metric", "figure", "logger", "study", "network", "gan", "init", "likelihood", "optimizer"})
"""What some configs have not: no metric is chosen, or the model takes no part of that group."""


class Network:
    """network.*."""

    encoder: Part
    decoder: Part


class Gan:
    """gan.*."""

    categorical: list[Several]
    continuous: WholeNumber
    noise_dim: WholeNumber
    lambda_categorical: NonNegative
    lambda_continuous: NonNegative
    generator: Part
    trunk: Part
    q_hidden: Count | None


class Search:
    """hydra.sweeper.* of hydra/sweeper=optuna."""

    n_trials: Count
    n_jobs: Count
    max_failure_rate: Share
    storage: Text | None
    study_name: Text | None
    custom_search_space: Text | None


class Optimizer:
    """Keywords of torch.optim's optimizers."""

    lr: Positive
    betas: Annotated[list[BelowOne], Len(2, 2)]
    eps: NonNegative
    weight_decay: NonNegative
    momentum: BelowOne
    dampening: NonNegative
    alpha: BelowOne
    lr_decay: NonNegative
    initial_accumulator_value: NonNegative
    rho: BelowOne
    fused: bool | None
    foreach: bool | None
    amsgrad: bool
    nesterov: bool
    centered: bool
    maximize: Literal[False]
    differentiable: Literal[False]


class Schedule:
    """Keywords of torch.optim.lr_scheduler's schedules."""

    T_max: Count
    T_0: Count
    T_mult: Count
    eta_min: NonNegative
    milestones: Annotated[list[Count], MinLen(1), Predicate(increasing)]
    gamma: Positive
    step_size: Count
    max_lr: Positive
    total_steps: Count
    pct_start: Share
    div_factor: Positive
    final_div_factor: Positive
    cycle_momentum: bool
    three_phase: bool
    anneal_strategy: Annotated[str, OneOf("cos", "linear")]
    start_factor: Annotated[float, Gt(0), Le(1)]
    end_factor: Share
    factor: Share
    total_iters: WholeNumber
    power: NonNegative
