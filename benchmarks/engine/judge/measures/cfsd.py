"""CFSD, content feature structural distance (Chung et al. 2024, arXiv:2312.09008).

It asks which parts of a picture are alike, whatever their colours and strokes.
"""

from torch import Tensor

LAYER = "conv3_1"

ROWS = 1024
"""Of the matrix of similarities, at once: it has the square of the number of positions."""


def cfsd(photograph: Tensor, picture: Tensor) -> float:
    """The mean over positions of KL(S || S'), S being the softmax of each row of the self-similarity F Fᵀ / N.

    Responses are in units of the photograph's root mean square: the authors' are of torchvision's network, whose
    scale is another. Values are not those of published tables.

    Args:
        photograph: its response of LAYER, max-pooled, (1, N, H, W).
        picture: likewise, of the same size.

    Returns:
        Nats, 0 or more.
    """
    unit = photograph.square().mean().sqrt().clamp(min=1e-10)
    first, second = (response[0].flatten(1).T / unit for response in (photograph, picture))  # (M, N)
    total = 0.0
    for begin in range(0, len(first), ROWS):
        rows = slice(begin, begin + ROWS)
        wanted, found = ((f[rows] @ f.T / f.shape[1]).log_softmax(1) for f in (first, second))
        total += float((wanted.exp() * (wanted - found)).sum())
    return max(0.0, total / len(first))
