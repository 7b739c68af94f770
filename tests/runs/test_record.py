from omegaconf import OmegaConf

from disent_runner.runs.record import recordable


def test_what_came_from_the_environment_is_recorded_as_the_text_that_asked_for_it(monkeypatch):
    monkeypatch.setenv("TOKEN", "hunter2")
    config = OmegaConf.create(
        {
            "logger": {"key": "${oc.env:TOKEN}", "url": "a/${secret}/b", "old": "${oc.env:NONE,x}", "name": "${seed}"},
            "secret": "${oc.decode:${oc.env:TOKEN}}",
            "dataset": {"path": "${oc.env:TOKEN}.npz"},
            "seed": 3,
        }
    )
    for _ in range(2):
        told = recordable(config)
        assert told == {
            "logger": {"key": "${oc.env:TOKEN}", "url": "a/${oc.env:TOKEN}/b", "old": "${oc.env:NONE,x}", "name": 3},
            "secret": "${oc.env:TOKEN}",
            "dataset": {"path": "hunter2.npz"},
            "seed": 3,
        }
        assert config.secret == "hunter2"
