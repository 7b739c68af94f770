"""What every command does alike before it does what was typed: done once, for those that are forked after it.

Composing a run loads Hydra's plugins and its grammar and reads the sources that settings are held against, a second of
work that no environment, folder or argument has a part in. What is composed is thrown away.
"""

from hydra import initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.core.utils import setup_globals
from hydra.types import RunMode

from disent_runner.assembly import build
from disent_runner.assembly.conf import CONF
from disent_runner.assembly.loader import Loader

with initialize_config_dir(version_base="1.3", config_dir=str(CONF)):
    setup_globals()
    _path = GlobalHydra.instance().config_loader().get_search_path()
_typed = ["model=betavae", "metric=[all]", "data_dir=data", "hydra.job.name=warm"]
build.build_metrics(Loader(_path).load_configuration("run", _typed, RunMode.RUN))
