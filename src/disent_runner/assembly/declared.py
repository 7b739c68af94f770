"""What a `_target_` may be given: read from the source of its module, which takes a second less than importing torch.

Of ours and of torch.optim alone; nothing is imported and nothing of others is looked at. Annotations are those of
`machine.ranges`, of typing, and of the module itself; whatever else they name is an object that no config spells out.
"""

import ast
import collections.abc
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import annotated_types

from disent_runner.machine import ranges

_OURS = Path(__file__).parents[1]
_KNOWN: Mapping[str, Any] = {
    "builtins": {"int": int, "float": float, "bool": bool, "str": str, "list": list, "tuple": tuple, "dict": dict},
    "collections.abc": {"Sequence": collections.abc.Sequence, "Mapping": collections.abc.Mapping},
    "typing": {"Annotated": typing.Annotated, "Any": Any, "Literal": typing.Literal},
    "pathlib": {"Path": str},  # as a config spells it
    "annotated_types": vars(annotated_types),
    "disent_runner.machine.ranges": vars(ranges),
}


class Part:
    """In an annotation: an object that the config makes of a `_target_`."""

    def __class_getitem__(cls, _: Any) -> type["Part"]:
        return cls

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> Any:
        from pydantic_core import core_schema

        return core_schema.no_info_plain_validator_function(_checked_part)


def _checked_part(value: Any) -> Any:
    if not isinstance(value, Mapping) or "_target_" not in value:
        raise ValueError
    return value


class _Unknown:
    """Stands for what cannot be told without importing; every type that it takes part in is Any."""

    def __getattr__(self, name: str) -> "_Unknown":
        if name.startswith("__"):
            raise AttributeError(name)
        return self

    def __getitem__(self, _: Any) -> "_Unknown":
        return self

    def __call__(self, *_: Any, **__: Any) -> "_Unknown":
        return self

    def __or__(self, _: Any) -> Any:
        return Any

    __ror__ = __or__


@dataclass(frozen=True)
class Signature:
    """The keywords of a class or function, by name the type of each, and whether it takes others.

    `required`: those that have no default.
    """

    name: str
    types: Mapping[str, Any]
    takes_others: bool
    required: frozenset[str] = frozenset()


@cache
def signature_of(target: str) -> Signature | None:
    """None for what is neither ours nor torch's. ValueError where there is no such class or function of ours."""
    if not target.startswith(("disent_runner.", "hydra_plugins.disent_", "torch.optim.")):
        return None
    module, _, name = target.rpartition(".")
    found = _find(module, name)
    if found is None:
        if target.startswith("torch."):
            return None
        raise ValueError(f"there is no {target}")
    return _signature(*found)


def _signature(module: "_Module", node: ast.AST) -> Signature | None:
    if isinstance(node, ast.FunctionDef):
        return _of_function(module, node, node.name)
    if not isinstance(node, ast.ClassDef):
        return None
    bases = [place for base in node.bases if isinstance(base, ast.Name) and (place := module.find(base.id))]
    init = next((item for item in node.body if isinstance(item, ast.FunctionDef) and item.name == "__init__"), None)
    inherited = next((taken for base in bases if (taken := _signature(*base)) is not None), None)
    if init is not None:
        own = _of_function(module, init, node.name)
        if own.takes_others and inherited is not None:
            types = {**inherited.types, **own.types}
            return Signature(node.name, types, inherited.takes_others, own.required | inherited.required)
        return own
    if any("dataclass" in ast.unparse(decorator) for decorator in node.decorator_list):
        fields = {item.target.id: item for item in node.body if isinstance(item, ast.AnnAssign) and _is_name(item)}
        required = frozenset(name for name, item in fields.items() if item.value is None)
        types = {name: module.type_of(item.annotation) for name, item in fields.items()}
        return Signature(node.name, types, False, required)
    return inherited and Signature(node.name, inherited.types, inherited.takes_others, inherited.required)


def _is_name(item: ast.AnnAssign) -> typing.TypeGuard[Any]:
    return isinstance(item.target, ast.Name)


def _of_function(module: "_Module", node: ast.FunctionDef, name: str) -> Signature:
    arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
    types = {one.arg: module.type_of(one.annotation) for one in arguments if one.arg != "self"}
    in_place = [*node.args.posonlyargs, *node.args.args]
    required = {one.arg for one in in_place[: len(in_place) - len(node.args.defaults)]}
    required |= {one.arg for one, value in zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True) if not value}
    return Signature(name, types, node.args.kwarg is not None, frozenset(required) & types.keys())


@cache
def _module(name: str) -> "_Module | None":
    root, *parts = name.split(".")
    if root in ("disent_runner", "hydra_plugins"):
        folder = _OURS.with_name(root)
    else:
        spec = find_spec(root)  # of a package at the top: nothing is imported
        folder = Path(next(iter((spec and spec.submodule_search_locations) or ()), "."))
    if not all(part.isidentifier() for part in parts):
        return None
    path = folder.joinpath(*parts)
    file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    return _Module(name, file) if file.is_file() else None


def _find(module: str, name: str) -> "tuple[_Module, ast.AST] | None":
    found = _module(module)
    return found.find(name) if found is not None else None


class _Module(Mapping[str, Any]):
    """A module's source; as a mapping, what its names mean in an annotation."""

    def __init__(self, name: str, file: Path) -> None:
        self.name = name
        self.file = file

    @cached_property
    def defined(self) -> dict[str, ast.AST]:
        found: dict[str, ast.AST] = {}
        for node in ast.parse(self.file.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef | ast.FunctionDef):
                found[node.name] = node
            elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                found[node.targets[0].id] = node.value
            elif isinstance(node, ast.AnnAssign) and node.value is not None and _is_name(node):
                found[node.target.id] = node.value
            elif isinstance(node, ast.ImportFrom) and node.module:
                package = self.name if self.file.name == "__init__.py" else self.name.rpartition(".")[0]
                source = f"{package}.{node.module}" if node.level else node.module
                found.update({alias.asname or alias.name: _Import(source, alias.name) for alias in node.names})
        return found

    def find(self, name: str) -> "tuple[_Module, ast.AST] | None":
        """Where the name is defined, followed through imports."""
        node = self.defined.get(name)
        if isinstance(node, _Import):
            return _find(node.module, node.attribute) if node.is_read else None
        return None if node is None else (self, node)

    def type_of(self, annotation: ast.AST | None) -> Any:
        if annotation is None:
            return Any
        found = self._evaluated(annotation)
        return Any if isinstance(found, _Unknown) else found

    def _evaluated(self, node: ast.AST) -> Any:
        """Of source that is ours or torch's, as importing it would do."""
        expression = ast.Expression(typing.cast(ast.expr, node))
        try:
            return eval(compile(expression, str(self.file), "eval"), {"__builtins__": {}}, self)
        except (TypeError, AttributeError, NameError, KeyError):
            return Any

    def __getitem__(self, name: str) -> Any:
        node = self.defined.get(name)
        if isinstance(node, _Import) and node.module in _KNOWN:
            return _KNOWN[node.module].get(node.attribute, Part if node.attribute == "Callable" else _Unknown())
        if node is None:
            return _KNOWN["builtins"].get(name, _Unknown())
        found = self.find(name)
        if found is None:
            return _Unknown()
        module, definition = found
        if isinstance(definition, ast.ClassDef):
            return Part
        return _Unknown() if isinstance(definition, ast.FunctionDef) else module._evaluated(definition)

    def __iter__(self) -> typing.Iterator[str]:
        return iter(self.defined)

    def __len__(self) -> int:
        return len(self.defined)


class _Import(ast.AST):
    def __init__(self, module: str, attribute: str) -> None:
        super().__init__()
        self.module = module
        self.attribute = attribute

    @property
    def is_read(self) -> bool:
        return self.module.startswith(("disent_runner.", "torch.optim"))
