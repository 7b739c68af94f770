import pytest
import torch

from disent_runner.machine.device import pick_device


@pytest.mark.parametrize(("has_gpu", "expected"), [(True, "cuda"), (False, "cpu")])
def test_auto_takes_a_gpu_when_there_is_one(monkeypatch, has_gpu, expected):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: has_gpu)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    assert pick_device("auto") == torch.device(expected)


def test_an_unknown_or_missing_accelerator_names_what_there_is():
    with pytest.raises(ValueError, match=r"one of what this machine has \(cpu.*\), got 'abacus'"):
        pick_device("abacus")
