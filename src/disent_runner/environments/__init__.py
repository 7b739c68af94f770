"""Worlds that agents act in: plain arrays below, Gymnasium environments above. `registered.register` names them."""
