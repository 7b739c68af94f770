"""From the config files to data sets; beside `build`, the only caller of `hydra.utils.instantiate`, for cards alone."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hydra import compose, initialize_config_dir
from hydra.errors import HydraException
from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from disent_runner.assembly.conf import CONF
from disent_runner.assembly.conf import choices as conf_choices
from disent_runner.assembly.loader import parsed
from disent_runner.assembly.own_classes import found_here
from disent_runner.assembly.typed import as_read
from disent_runner.datasets.card import Card
from disent_runner.datasets.images.transform import Transform

if TYPE_CHECKING:
    from disent_runner.datasets.dataset import Dataset


@dataclass(frozen=True, eq=False)
class Choice:
    """A data set and what the settings say of its use."""

    card: Card
    data_dir: Path
    source: str
    check_hash: bool
    transform: Transform
    subset: Mapping[str, int] | None

    @property
    def image_shape(self) -> tuple[int, int, int] | None:
        """(channel, height, width) as models see it; None where only the images tell. ValueError as `Transform`."""
        shape = self.card.image_shape
        return None if shape is None else self.transform.shape_after(shape)


def choose(
    name: str, overrides: Sequence[str] = (), *, data_dir: Path | None = None, config_dir: Path | None = None
) -> Choice:
    """The data set that `disent-run --config-dir=CONFIG_DIR dataset=NAME OVERRIDES` trains on.

    Raises what Hydra and the card do, FileNotFoundError where there is no such folder.
    """
    own = []
    if config_dir is not None:
        _check_there(config_dir)
        own = [f'hydra.searchpath=["file://{config_dir.resolve()}"]']
    typed = [f"dataset={name}", *map(as_read, overrides)]
    for one in parsed(typed):
        if one.is_sweep_override():
            raise ValueError(f"{one.input_line}: expected one value; several are several commands")
        if one.key_or_group == "dataset" and one.input_line != typed[0]:
            raise ValueError(f"{one.input_line}: the data set is {name} by now; name one of them")
    with initialize_config_dir(version_base="1.3", config_dir=str(CONF)):
        return choice_of(compose("run", overrides=[*own, *typed]), data_dir)


def _check_there(config_dir: Path) -> None:
    if not config_dir.is_dir():
        raise FileNotFoundError(f"--config-dir={config_dir}: no such folder")


def choices(data_dir: Path | None = None, config_dir: Path | None = None) -> Iterator[tuple[str, Choice | Exception]]:
    """Every data set with its own settings, by name, or why there is no card of it as it stands; the user's own last.

    Our files are merged here: composing the whole config takes half a second, which is too long for each. Raises
    FileNotFoundError where there is no such folder.
    """
    if config_dir is not None:
        _check_there(config_dir)
    every_run: Any = OmegaConf.load(CONF / "run.yaml")
    settings = OmegaConf.masked_copy(every_run, ["dataset", "environment", "data_dir"])
    for name in conf_choices("dataset"):
        node = OmegaConf.load(CONF / "dataset" / f"{name}.yaml")
        config: Any = OmegaConf.merge(settings, {"dataset": node})
        try:
            choice = choice_of(config, data_dir)
        except (HydraException, OmegaConfBaseException, ValueError, OSError) as error:
            choice = error
        yield name, choice
    if config_dir is not None:
        for name in sorted(path.stem for path in (config_dir / "dataset").glob("[!_]*.yaml")):
            try:
                choice = choose(name, data_dir=data_dir, config_dir=config_dir)
            except (HydraException, OmegaConfBaseException, ValueError, OSError) as error:
                choice = error
            yield name, choice


def choice_of(config: DictConfig, data_dir: Path | None = None) -> Choice:
    """What the `dataset` of a composed config says. Raises what Hydra and the card do."""
    asked = config.dataset
    return Choice(
        card=instantiate(found_here(asked.card), _convert_="all"),
        data_dir=Path(config.data_dir) if data_dir is None else data_dir,
        source=asked.source,
        check_hash=asked.check_hash,
        transform=Transform(crop=asked.crop, grey=asked.grey, image_size=asked.image_size),
        subset=None if asked.subset is None else OmegaConf.to_container(asked.subset),  # pyright: ignore
    )


def open_choice(choice: Choice) -> "Dataset":
    """The data set of the files that are there, all of it. Raises as `load`."""
    from disent_runner.datasets.load import load  # and torch, which a list of data sets does not need

    return load(
        choice.card,
        data_dir=choice.data_dir,
        source=choice.source,
        transform=choice.transform,
        check_hash=choice.check_hash,
    )
