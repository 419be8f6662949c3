"""Target attention: what of a user's history matters to this candidate (DIN, arXiv 1706.06978)."""

from __future__ import annotations

from torch import Tensor, nn

from corank.layers.flops import Flops


class TargetAttention(nn.Module):
    """`a_i = w . PReLU(W_v v_i + W_t t + W_p (v_i * t) + b) + c`, a weight of each event, not normalised.

    DIN's activation unit (Zhou et al. 2018, eq. 3), its first layer written as the sum of its parts: that of
    the events is made once a request. A difference v_i - t would be a sum of the first two.

    Args:
        length: L.
        width: D, of events and targets.
        hidden: inner width.
    """

    def __init__(self, length: int, width: int, hidden: int) -> None:
        super().__init__()
        self.event = nn.Linear(width, hidden, bias=False)
        self.target = nn.Linear(width, hidden)
        self.product = nn.Linear(width, hidden, bias=False)
        self.act = nn.PReLU()
        self.out = nn.Linear(hidden, 1)
        self.length = length

    def forward(self, v_RLD: Tensor, t_SD: Tensor, request_of_S: Tensor) -> tuple[Tensor, Tensor]:
        """Requests' events and targets to the weights [S, L], and each sample's events [S, L, D]."""
        v_SLD = v_RLD.index_select(0, request_of_S)
        h_SLk = self.event(v_RLD).index_select(0, request_of_S) + self.target(t_SD).unsqueeze(1)
        h_SLk = h_SLk + self.product(v_SLD * t_SD.unsqueeze(1))
        a_SL: Tensor = self.out(self.act(h_SLk)).squeeze(-1)
        return a_SL, v_SLD

    def flops(self) -> Flops:
        """The events' part once a request, the rest once a sample."""
        part, last = 2 * self.event.weight.numel(), 2 * self.out.weight.numel()
        return Flops(request=self.length * part, sample=part + self.length * (part + last))
