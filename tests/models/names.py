"""The models of conf/model that are trained by optimisation steps; the others are baselines without any."""

from hydra.utils import get_class
from omegaconf import OmegaConf

from disent_runner.assembly.conf import CONF, choices
from disent_runner.models.base import AbstractModel


def learners() -> list[str]:
    targets = {name: OmegaConf.load(CONF / "model" / f"{name}.yaml")._target_ for name in choices("model")}
    classes: dict[str, type[AbstractModel]] = {name: get_class(target) for name, target in targets.items()}
    return [name for name, method in classes.items() if method.takes_steps]
