"""The models of conf/model that are trained by optimisation steps; the others are baselines without any."""

from hydra.utils import get_class
from omegaconf import OmegaConf

from disent_runner.cli import CONF
from disent_runner.models.base import AbstractModel


def learners() -> list[str]:
    configs = {path.stem: OmegaConf.load(path) for path in (CONF / "model").glob("*.yaml")}
    classes: dict[str, type[AbstractModel]] = {name: get_class(config._target_) for name, config in configs.items()}
    return sorted(name for name, of_class in classes.items() if of_class.takes_steps)
