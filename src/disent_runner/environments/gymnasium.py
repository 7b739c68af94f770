"""Any environment of Gymnasium whose observations are images: `environment=gymnasium environment.id=…`."""

import difflib
from collections.abc import Mapping
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np

from disent_runner.environments.extra import needs_agents
from disent_runner.environments.registered import register
from disent_runner.machine.ranges import Count, Text

if TYPE_CHECKING:
    from gymnasium import Env
    from gymnasium.vector import VectorEnv

_PACKAGES = {"MiniGrid-": ("minigrid", "minigrid"), "BabyAI-": ("minigrid", "minigrid"), "ALE/": ("ale_py", "ale-py")}
"""By how an id begins: the module that registers it, and what installs that. No other is imported by an id."""
_MOST_NAMES = 3


def gymnasium(num_envs: Count = 1, *, id: Text, tile_size: Count = 8, settings: Mapping[str, Any]) -> "VectorEnv":
    """So many environments of that id, one after the other in this process; autoreset is SAME_STEP.

    Observations are uint8 images, (height, width, 1 or 3). A MiniGrid is seen whole, in colour, `tile_size` pixels a
    cell. `settings` are the environment's own keywords. Raises ValueError, in one line, without the extra, for an id
    that is not registered or needs a package that is not there, and for other observations.
    """
    needs_agents("environment=gymnasium")
    from gymnasium.vector import AutoresetMode, SyncVectorEnv

    _check_registered(id)
    make = partial(_made, id, tile_size, dict(settings))
    return SyncVectorEnv([make] * num_envs, autoreset_mode=AutoresetMode.SAME_STEP)


def _check_registered(id: str) -> None:
    import gymnasium

    if ":" in id:
        raise ValueError(f"environment.id={id}: a module named in an id is not imported; expected an id alone")
    register()
    for start, (module, package) in _PACKAGES.items():
        if id.startswith(start):
            if find_spec(module) is None:
                raise ValueError(f"environment.id={id} needs {package}: pip install {package}")
            import_module(module)
    if id not in gymnasium.registry:
        known = [*gymnasium.registry]
        near = difflib.get_close_matches(id, known, n=_MOST_NAMES, cutoff=0.5)
        hint = f", did you mean {' or '.join(near)}?" if near else f"; {len(known)} are, such as {known[0]}"
        raise ValueError(f"environment.id={id}: no such environment is registered{hint}")


def _made(id: str, tile_size: int, settings: dict[str, Any]) -> "Env":
    import gymnasium
    from gymnasium.spaces import Box

    try:
        made = gymnasium.make(id, **settings)
    except (ImportError, TypeError, ValueError, AssertionError, gymnasium.error.Error) as error:
        raise ValueError(f"environment.id={id}: {' '.join(str(error).split())}") from None
    if "minigrid.minigrid_env" in {base.__module__ for base in type(made.unwrapped).__mro__}:
        made = _in_colour(made, tile_size)
    space = made.observation_space
    is_image = isinstance(space, Box) and len(space.shape) == 3 and space.shape[-1] in (1, 3)
    if not is_image or space.dtype != np.uint8:
        made.close()
        raise ValueError(
            f"environment.id={id}: its observations are {' '.join(str(space).split())}, expected uint8 images of "
            "(height, width, 1 or 3); choose another id"
        )
    return made


def _in_colour(made: "Env", tile_size: int) -> "Env":
    from minigrid.wrappers import ImgObsWrapper, RGBImgObsWrapper

    return ImgObsWrapper(RGBImgObsWrapper(made, tile_size=tile_size))
