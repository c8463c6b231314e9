"""The function that is minimised, of a picture of one size: eq. 7, the total variation, the distance to an anchor."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from torch import Tensor

from service.style.loss import evaluation
from service.style.loss.anchor import AnchorTerm
from service.style.loss.terms import StyleTerm, Term
from service.style.loss.variation import variation, variation_gradient
from service.style.network.vgg import VGG

NEGLIGIBLE = 1e-5
"""A style layer is left out of the descent if a blank picture's E_l would be less than this part of L_style.

With the paper's layers and Oxford's activation scale that is conv5_1 (1e-7 to 2e-6), and with it the two or three
convolutions that only it needs: a sixth of the arithmetic, half of it at 64 px. A picture that is done has lowered
L_style about a thousandfold, so even a layer that never improves would be a hundredth of it at most; conv5_1 improves
with the others. It counts in every loss that is reported. Each region is judged for itself, or a small one would lose
more than that."""


@dataclass(frozen=True)
class Losses:
    """Losses of one picture, in the paper's units.

    Attributes:
        content: α L_content, with the size factor.
        style: β L_style.
        variation: the total variation, weighted; 0 unless asked for.
        total: the sum of the four: eq. 7, the variation and the anchor.
        layers: the terms of content and style, weighted: "content/conv4_2", "style/conv1_1", ...
        anchor: the distance to the anchor, weighted; 0 without one.
    """

    content: float
    style: float
    variation: float
    total: float
    layers: Mapping[str, float]
    anchor: float = 0.0


class Objective:
    """Eq. 7 as a function of a picture x, (1, 3, H, W), RGB in [0, 1], or a grey one, (1, 1, H, W).

    Args:
        network: the features.
        terms: of content and style; those of weight 0 are dropped.
        tv_weight: of the total variation, which is added to eq. 7; with its size factor.
        anchor: what x is held to, which is added too; None: nothing.
        recomputed: how many blocks of the network are computed a second time for a gradient, to need less memory.

    Attributes:
        terms: that count. There may be none: then the loss is 0, and every picture as good as any other.
        descended: those of them that can change the picture.
    """

    def __init__(
        self,
        network: VGG,
        terms: Iterable[Term],
        *,
        tv_weight: float = 0.0,
        anchor: AnchorTerm | None = None,
        recomputed: int = 0,
    ) -> None:
        self.network = network
        self.tv_weight = tv_weight
        self.anchor = anchor
        self.recomputed = recomputed
        self.terms = [term for term in terms if term.weight > 0]
        self.descended = _worth_descending(self.terms)

    def loss_and_gradient(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Eq. 7 without its negligible terms, and its gradient with respect to x.

        Args:
            x: the picture.

        Returns:
            The loss, a scalar (on the device of x), and the gradient, of the shape of x.
        """
        loss, gradient = x.new_zeros(()), x.new_zeros(x.shape)
        if self.descended:
            loss, gradient = evaluation.loss_and_gradient(self.network, x, self.descended, self.recomputed)
        if self.tv_weight > 0:
            loss = loss + variation(x, self.network.padding) * self.tv_weight
            gradient = gradient + variation_gradient(x, self.network.padding) * self.tv_weight
        if self.anchor is not None:
            loss = loss + self.anchor.loss(x)
            gradient = gradient + self.anchor.gradient(x)
        return loss, gradient

    def losses(self, x: Tensor) -> Losses:
        """The losses of x, term by term."""
        layers: dict[str, float] = {}
        for term, loss in zip(self.terms, evaluation.losses(self.network, x, self.terms), strict=True):
            layers[term.name] = layers.get(term.name, 0.0) + loss.item()
        content = sum(value for name, value in layers.items() if name.startswith("content/"))
        style = sum(value for name, value in layers.items() if name.startswith("style/"))
        varied = self.tv_weight * variation(x, self.network.padding).item()
        held = 0.0 if self.anchor is None else self.anchor.loss(x).item()
        total = content + style + varied + held
        return Losses(content=content, style=style, variation=varied, total=total, layers=layers, anchor=held)


def _worth_descending(terms: list[Term]) -> list[Term]:
    """The terms that can change the picture: see NEGLIGIBLE."""
    blanks = [(term, term.of_blank) for term in terms if isinstance(term, StyleTerm)]
    whole: defaultdict[int, float] = defaultdict(float)
    for term, blank in blanks:
        whole[term.region] += blank
    negligible = {id(term) for term, blank in blanks if blank <= NEGLIGIBLE * whole[term.region]}
    return [term for term in terms if id(term) not in negligible]
