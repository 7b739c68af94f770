"""How annotations are checked while tests run: shapes by jaxtyping, and an int may stand where a float is expected."""

from beartype import BeartypeConf, beartype

check = beartype(conf=BeartypeConf(is_pep484_tower=True))
