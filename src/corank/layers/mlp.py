"""Multi-layer perceptrons, the first layer of which runs its request side once a request."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from corank.layers.flops import Flops


class SplitLinear(nn.Module):
    """A linear map of [request | sample] that multiplies the request's part once a request.

    `y_s = W_r e_r[request of s] + W_s e_s + b`: equal to a linear map of the concatenation.

    Args:
        request_width, sample_width: widths of the two inputs; either may be 0.
        width: output width.
    """

    def __init__(self, request_width: int, sample_width: int, width: int) -> None:
        super().__init__()
        whole = nn.Linear(request_width + sample_width, width)  # initialised as one map
        self.request = nn.Linear(request_width, width, bias=False)
        self.sample = nn.Linear(sample_width, width)
        self.request.weight.data.copy_(whole.weight.data[:, :request_width])
        self.sample.weight.data.copy_(whole.weight.data[:, request_width:])
        self.sample.bias.data.copy_(whole.bias.data)

    def forward(self, request_RE: Tensor, sample_SE: Tensor, request_of_S: Tensor) -> Tensor:
        """[R, request_width] and [S, sample_width] to [S, width]."""
        once: Tensor = self.request(request_RE)
        each: Tensor = self.sample(sample_SE)
        return once.index_select(0, request_of_S) + each

    def flops(self) -> Flops:
        """2 times the two weights: one a request, one a sample."""
        return Flops(request=2 * self.request.weight.numel(), sample=2 * self.sample.weight.numel())


class MLP(nn.Module):
    """Linear layers with ReLU and dropout after each.

    Models whose first layer is a `SplitLinear` put the others here: nothing is dropped after their first.

    Args:
        width: input width.
        hidden: output width of each layer.
        dropout: share of activations dropped in training.
    """

    def __init__(self, width: int, hidden: Sequence[int], dropout: float = 0.0) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for out in hidden:
            layers += [nn.Linear(width, out), nn.ReLU(), nn.Dropout(dropout)]
            width = out
        self.layers = nn.Sequential(*layers)
        self.width = width

    def forward(self, x_SD: Tensor) -> Tensor:
        """[S, width] to [S, hidden[-1]]."""
        out: Tensor = self.layers(x_SD)
        return out
