"""What Hydra keeps of each run of a sweep until the last is done, without what grows with their number."""

from typing import Any

from hydra.core.utils import JobReturn
from hydra.experimental.callback import Callback
from omegaconf import DictConfig


class ForgetConfigs(Callback):
    """Takes the composed configs, some 0.2 MB, from what a run returned: nobody asks for them."""

    def on_job_end(self, config: DictConfig, job_return: JobReturn, **kwargs: Any) -> None:
        job_return.cfg = job_return.hydra_cfg = None
