"""What the hidden layers of a network make of its inputs, whatever the network, and how they become smooth."""

from jaxtyping import Float
from torch import Tensor, nn

ACTIVATIONS = (nn.ReLU, nn.LeakyReLU, nn.ELU, nn.GELU, nn.SiLU, nn.Softplus, nn.Tanh, nn.Sigmoid)


def activations_of(network: nn.Module) -> list[nn.Module]:
    """The layers that are activations, each of which ends a hidden layer."""
    return [layer for layer in network.modules() if isinstance(layer, ACTIVATIONS)]


def hidden_layers(network: nn.Module, inputs: Float[Tensor, "batch input"]) -> list[Tensor]:
    """Outputs of a network's activations, (batch, …) each, in the order of a pass."""
    found: list[Tensor] = []
    handles = [layer.register_forward_hook(lambda *call: found.append(call[-1])) for layer in activations_of(network)]
    try:
        network.forward(inputs)  # not its call, of which `trainer.compile` may have made code that knows no hook
    finally:
        for handle in handles:
            handle.remove()
    return found


def smoothed(network: nn.Module) -> nn.Module:
    """The network itself, with GELU in place of each ReLU, whose second derivative is 0 wherever it has one."""
    for layer in list(network.modules()):
        for name, inner in layer.named_children():
            if isinstance(inner, nn.ReLU | nn.LeakyReLU):
                setattr(layer, name, nn.GELU())
    return network
