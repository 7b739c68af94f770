import pytest

from disent_runner.study.claims import Claim, Quantity
from disent_runner.study.parsing import Names

KL = Quantity(column="kl", take="max")
NAMES = Names({"highest KL": KL}, {"pulled": {"model": "dcign", "model.kappa": 0.01}})


def mig(**where: object) -> Quantity:
    return Quantity(number="mig", where={key.replace("_", "."): value for key, value in where.items()})


@pytest.mark.parametrize(
    ("node", "claim"),
    [
        pytest.param({"less": 0.2, "than": "mig", "by": 0.1}, Claim(0.2, mig(), by=0.1), id="a fixed number"),
        pytest.param({"less": "highest KL", "than": 9, "every_seed": True}, Claim(KL, 9, every_seed=True), id="a name"),
        pytest.param({"less": {"column": "kl", "take": "max"}, "than": 9}, Claim(KL, 9), id="fields"),
        pytest.param(
            {"less": {"number": "mig", "where": {"model": "vae"}}, "than": {"number": "mig", "where": "pulled"}},
            Claim(mig(model="vae"), mig(model="dcign", model_kappa=0.01)),
            id="sides each with their runs",
        ),
        pytest.param(
            {"quantity": "mig", "less": "vae", "than": "pulled"},
            Claim(mig(model="vae"), mig(model="dcign", model_kappa=0.01)),
            id="a quantity of two cases",
        ),
        pytest.param(
            {"quantity": "mig", "less": {"joint": "b"}, "than": {"joint": "a"}, "where": "vae"},
            Claim(mig(model="vae", joint="b"), mig(model="vae", joint="a")),
            id="and of both",
        ),
        pytest.param({"quantity": "mig", "less": 0.2, "than": "vae"}, Claim(0.2, mig(model="vae")), id="of one case"),
        pytest.param(
            {"less": "mig", "than": "highest KL", "where": "vae"},
            Claim(mig(model="vae"), KL.within({"model": "vae"})),
            id="two quantities of a case",
        ),
        pytest.param(
            {"less": {"number": "mig", "where": "pca"}, "than": "mig", "where": "vae"},
            Claim(mig(model="pca"), mig(model="vae")),
            id="what a side says of itself holds",
        ),
    ],
)
def test_claims_name_a_quantity_and_a_case_once(node, claim):
    assert NAMES.claim(node) == claim


@pytest.mark.parametrize(
    ("node", "message"),
    [
        ({"less": 0.2}, "a claim has less and than"),
        ({"less": 0.2, "than": 0.3}, "of which one may be a fixed number"),
        ({"less": 0.2, "than": "mig", "margin": 1}, "got {"),
        ({"less": 0.2, "than": {"number": "mig", "columns": "kl"}}, "unexpected keyword argument 'columns'"),
    ],
)
def test_mistakes_in_a_recipe(node, message):
    with pytest.raises(ValueError, match=message):
        NAMES.claim(node)
