"""`hydra/launcher=slurm`: hydra-submitit-launcher's job array, with no need of accounting or an open terminal."""

import os
import subprocess
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from hydra.core.utils import JobReturn, JobStatus
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig, OmegaConf

from disent_runner.machine.ranges import Count, Positive, Text, WholeNumber

if TYPE_CHECKING:
    from disent_runner.sweep.jobs import Job

LARGEST_ARRAY = 1000
"""SLURM's default MaxArraySize is 1001; a larger sweep becomes several arrays."""
SECONDS_BETWEEN_LOOKS = 2.0
LOOKS_UNTIL_LOST = 3
"""A task that is put back in the queue is in no list for a moment."""


class SlurmLauncher(Launcher):
    """Submits one task for each run and waits until none is in the queue; see conf/hydra/launcher/slurm.yaml.

    Whether a run is done is read from its folder, so that tasks of an earlier command are waited for like new ones.
    """

    def __init__(
        self,
        *,
        wait: bool,
        partition: Text | None,
        timeout_min: Count,
        gpus_per_node: WholeNumber | None,
        cpus_per_task: Count,
        mem_gb: Positive | None,
        array_parallelism: Count,
        max_num_timeout: WholeNumber,
        signal_delay_s: Count,
        setup: list[Text] | None,
        additional_parameters: Mapping[str, str | int | float | bool | None],
        **params: Any,
    ) -> None:
        self.waits = wait
        self.params = {
            "partition": partition,
            "timeout_min": timeout_min,
            "gpus_per_node": gpus_per_node,
            "cpus_per_task": cpus_per_task,
            "mem_gb": mem_gb,
            "array_parallelism": array_parallelism,
            "max_num_timeout": max_num_timeout,
            "signal_delay_s": signal_delay_s,
            "setup": setup,
            "additional_parameters": additional_parameters,
            **params,
        }

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        try:
            from hydra_plugins.hydra_submitit_launcher.submitit_launcher import SlurmLauncher as Submitit
        except ImportError:
            raise ValueError(
                "hydra/launcher=slurm needs the extra `slurm`: pip install 'disent-runner[slurm]'"
            ) from None
        self.context = hydra_context
        self.config = config
        self.task = Submitit(**self.params)
        self.task.setup(hydra_context=hydra_context, task_function=task_function, config=config)

    def launch(self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int) -> Sequence[JobReturn]:
        from disent_runner.sweep.jobs import plan
        from disent_runner.sweep.loader import SweepLoader

        loader = SweepLoader(self.context.config_loader.get_search_path())
        return self.launch_jobs(plan(loader, self.config, job_overrides), initial_job_idx)

    def launch_jobs(self, jobs: "Sequence[Job]", first: int) -> Sequence[JobReturn]:
        """What `launch` does, for jobs that are planned already."""
        from disent_runner.machine.texts import counted
        from disent_runner.runs.status import read_status
        from disent_runner.sweep.board import say
        from disent_runner.sweep.jobs import standing

        queue = queued_tasks() or set()
        new = [job for job in jobs if read_status(job.folder).get("task") not in queue]
        needed = {read_status(need.folder).get("task") for job in new for need in job.needs}
        submitted = self._submit([job.overrides for job in new], first, after=queue & needed) if new else []
        for job, task in zip(new, submitted, strict=True):
            report_queued(job.folder, job.request, task.job_id)
        arrays = ", ".join(sorted({task.job_id.partition("_")[0] for task in submitted}))
        if submitted:
            say(f"{counted(len(submitted), 'task')} submitted as SLURM job {arrays}; scancel {arrays} stops them")
        if not self.waits:
            return []
        absent = dict.fromkeys(jobs, 0)
        while absent:
            time.sleep(SECONDS_BETWEEN_LOOKS)
            queue = queued_tasks()
            for job in list(absent):
                is_there = queue is None or read_status(job.folder).get("task") in queue
                absent[job] = 0 if is_there else absent[job] + 1
                if standing(job).state == "done" or absent[job] == LOOKS_UNTIL_LOST:
                    del absent[job]
        results = {job: _result(task) for job, task in zip(new, submitted, strict=True)}
        return [results.get(job) or JobReturn(status=JobStatus.UNKNOWN) for job in jobs]

    def _submit(self, overrides: Sequence[Sequence[str]], first: int, *, after: Collection[str] = ()) -> list[Any]:
        """Submitit's handle of each task; what it calls is the plugin's launcher, which knows how to be requeued.

        They begin `after` other tasks have ended, however these ended: what is missing then is said by each.
        """
        import submitit
        from hydra.core.singleton import Singleton
        from hydra_plugins.hydra_submitit_launcher.config import BaseQueueConf

        params = {
            key: value for key, value in self.task.params.items() if key not in ("submitit_folder", "max_num_timeout")
        }
        common = set(OmegaConf.structured(BaseQueueConf).keys())
        executor = submitit.AutoExecutor(
            folder=self.task.params["submitit_folder"],
            cluster="slurm",
            slurm_max_num_timeout=self.task.params["max_num_timeout"],
        )
        if after:
            arrays = ":".join(sorted({task.partition("_")[0] for task in after}))
            others = params.get("additional_parameters") or {}
            params["additional_parameters"] = {**others, "dependency": f"afterany:{arrays}"}
        executor.update_parameters(**{key if key in common else f"slurm_{key}": value for key, value in params.items()})
        state = Singleton.get_state()
        tasks: list[Any] = []
        for start in range(0, len(overrides), LARGEST_ARRAY):
            chunk = overrides[start : start + LARGEST_ARRAY]
            numbers = range(first + start, first + start + len(chunk))
            arguments = [
                (list(own), "hydra.sweep.dir", number, f"job_id_for_{number}", state)
                for own, number in zip(chunk, numbers, strict=True)
            ]
            with outside_of_jobs():
                tasks += executor.map_array(self.task, *zip(*arguments, strict=True))
        return tasks


def report_queued(folder: Any, request: str, task: str) -> None:
    """Write that the run is in the queue, unless it is under way by now: then it has said so itself."""
    from disent_runner.runs.folder import RunInUse, exclusive
    from disent_runner.runs.status import read_status, write_status

    try:
        with exclusive(folder):
            if read_status(folder).get("task") != task:
                write_status(folder, "queued", request=request, task=task)
    except RunInUse:
        pass


@contextmanager
def outside_of_jobs() -> Iterator[None]:
    """The environment without what SLURM set for the job that this is typed in, an interactive session's for example.

    `sbatch` hands it on, and `srun` refuses a SLURM_MEM_PER_CPU of the session beside the task's own memory.
    """
    of_job = (
        {}
        if "SLURM_JOB_ID" not in os.environ
        else {
            name: os.environ.pop(name)
            for name in list(os.environ)
            if name.startswith(("SLURM_", "SLURMD_", "SRUN_")) and name != "SLURM_CONF"
        }
    )
    try:
        yield
    finally:
        os.environ.update(of_job)


def queued_tasks() -> set[str] | None:
    """Tasks of this user that wait or run, `4711_3` or `4711`; None when SLURM does not answer just now."""
    command = ["squeue", "--noheader", "--array", "--format=%i", "--user", str(os.getuid())]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    except FileNotFoundError:
        raise ValueError("hydra/launcher=slurm needs SLURM's commands; squeue is not on this machine") from None
    except subprocess.SubprocessError:
        return None
    return set(answer.stdout.split())


def _result(task: Any) -> JobReturn:
    """What the task returned, where it came to its end; a search needs it."""
    if not task.paths.result_pickle.exists():
        return JobReturn(status=JobStatus.UNKNOWN)
    try:
        return task.result()
    except Exception as error:  # of the cluster: a run's own mistakes are inside of what its task returns
        return JobReturn(status=JobStatus.FAILED, _return_value=error)
