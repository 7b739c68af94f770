"""Modules under the names that they had before the package had rooms, for what other people wrote against those."""

import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

ROOMS = {
    "datasets.images": "derived_images image_cache image_store index_draws layered_images transform",
    "datasets.labels": "any_labels factor_space factors label_table",
    "datasets.readers": "archives array_files dsprites_files idx image_files labelled_csv matlab_stream",
    "datasets.symbols": "concepts recombinations vocabulary",
    "metrics.estimators": "aggregate_posterior correspondence information posterior_kl sampling",
}
"""Where the modules are now that were in the room itself."""
_NOW = {
    f"disent_runner.{room.partition('.')[0]}.{name}": f"disent_runner.{room}.{name}"
    for room, names in ROOMS.items()
    for name in names.split()
} | {"disent_runner.representation": "disent_runner.representations.representation"}


class _Moved(MetaPathFinder, Loader):
    """Gives the module that is there now: one module with two names, not two."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        return ModuleSpec(fullname, self) if fullname in _NOW else None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        module = import_module(_NOW[spec.name])
        spec.loader_state = module.__spec__
        return module

    def exec_module(self, module: ModuleType) -> None:
        asked = module.__spec__
        if asked is not None:
            module.__spec__ = asked.loader_state  # its own again


def find_by_earlier_names() -> None:
    sys.meta_path.append(_Moved())
