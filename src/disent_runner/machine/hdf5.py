"""Data sets of an HDF5 file that anyone may have sent: what lies in that file, and nothing that it points at."""

from typing import Any

import h5py

from disent_runner.machine.files import refuse_growth


def own_dataset(file: h5py.File, name: str) -> h5py.Dataset:
    """The data set of that name.

    ValueError for a link, for one that takes its values from other files, for one that would grow beyond what any
    compression does, and for something else of that name; KeyError where there is nothing.
    """
    node: Any = file
    for part in name.split("/"):
        try:
            link = node.get(part, getlink=True) if isinstance(node, h5py.Group) else None
        except RuntimeError as error:
            raise OSError(f"{name} is damaged, {error}") from error
        if link is None:
            raise KeyError(f"no {name}")
        if not isinstance(link, h5py.HardLink):
            raise ValueError(f"{name} is a link, expected a data set")
        node = node[part]
    if not isinstance(node, h5py.Dataset) or node.shape is None:
        raise ValueError(f"{name} is {node}, expected a data set")
    if node.is_virtual or node.external:
        raise ValueError(f"{name} takes its values from other files; copy them into this one")
    refuse_growth(name, node.nbytes, node.id.get_storage_size())
    return node
