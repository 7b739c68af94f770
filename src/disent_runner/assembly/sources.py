"""The folders of YAML files that configs are looked for in: ours, and those of `--config-dir` and the search path."""

from pathlib import Path

import yaml
from hydra._internal.config_repository import ConfigRepository
from hydra._internal.core_plugins.file_config_source import FileConfigSource
from hydra.core.config_search_path import ConfigSearchPath
from hydra.plugins.config_source import ConfigResult

from disent_runner.assembly.presets import PRESETS


class Source(FileConfigSource):
    """A folder of YAML files, each with the package that it names anywhere in the comments at its top."""

    def load_config(self, config_path: str) -> ConfigResult:
        path = self.file(config_path)
        try:
            result = super().load_config(config_path)
        except UnicodeDecodeError:
            raise ValueError(f"{path} is not UTF-8; save it as such") from None
        except (ValueError, yaml.YAMLError) as error:
            raise ValueError(f"{path}: {error}") from None
        result.header = {**result.header, "package": _package(path, group=config_path.strip("/").partition("/")[0])}
        return result

    def file(self, config_path: str) -> Path:
        return Path(self.path, self._normalize_file_name(config_path))


def _package(path: Path, *, group: str) -> str | None:
    """What follows `# @package`. Raises ValueError where a preset names another part of the config than all of it."""
    named = None
    for line in path.read_text("utf-8-sig").splitlines():  # Windows' editor puts a mark before the first character
        words = line.strip().lstrip("#").split()
        if line.strip() not in ("", "---") and not line.lstrip().startswith("#"):
            break
        if words[:1] == ["@package"] and len(words) == 2:
            named = words[1]
    if group in PRESETS and named not in (None, "_global_"):
        raise ValueError(f"{path}: `# @package {named}`, but a preset is about the whole config: `# @package _global_`")
    return "_global_" if group in PRESETS else named


class Repository(ConfigRepository):
    """The folders that configs are looked for in."""

    def initialize_sources(self, config_search_path: ConfigSearchPath) -> None:
        super().initialize_sources(config_search_path)
        self.sources = [
            Source(source.provider, source.path) if source.scheme() == FileConfigSource.scheme() else source
            for source in self.sources
        ]

    @property
    def folders(self) -> list[Source]:
        return [source for source in self.sources if isinstance(source, Source)]

    @property
    def main(self) -> Path:
        """That of the program itself."""
        return next(Path(folder.path) for folder in self.folders if folder.provider == "main")

    def load_config(self, config_path: str) -> ConfigResult | None:
        having = [folder for folder in self.folders if folder.is_config(config_path)]
        files = [folder.file(config_path) for folder in having]
        if len({file.read_bytes() for file in files}) > 1:  # Hydra would take the first without a word
            raise ValueError(f"{config_path} is there twice, in {' and in '.join(map(str, files))}; rename yours")
        found = super().load_config(config_path)
        if found is not None and having and having[0].provider == "main":
            found.is_schema_source = True  # ours: not held against what a plugin has under the same name
        return found
