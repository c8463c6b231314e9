"""How many evaluations a device is given at once, so that it need not wait for the host between them."""

import torch

PIXELS = 2**21
"""Of all pictures that are evaluated between two looks at the clock: 8 of 512x512 px, some 8 ms of a large GPU."""

MOST = 10
"""A third of a scale of the default schedule, so that progress shows even where it is over in no time."""


def at_once(device: torch.device, pixels: int) -> int:
    """Evaluations of a picture of so many pixels between two progresses.

    It depends on nothing but these two, so the same request ends after the same evaluation. A CPU does what it is
    told at once, and nothing is to be gained.
    """
    return 1 if device.type == "cpu" else min(MOST, max(1, PIXELS // pixels))
