from hydra.core.utils import JobReturn, JobStatus
from omegaconf import OmegaConf

from disent_runner.sweep.forgetting import ForgetConfigs


def test_what_a_run_returned_stays_without_its_configs(composed):
    config = composed()
    returned = JobReturn(cfg=config, hydra_cfg=config, status=JobStatus.COMPLETED, _return_value=0.5)
    ForgetConfigs().on_job_end(config, returned)
    assert (returned.cfg, returned.hydra_cfg, returned.return_value) == (None, None, 0.5)
    assert OmegaConf.select(config, "seed") == 0
