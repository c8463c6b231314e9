"""What this server can do, and what the options of a request come to within that."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from service.intake.contract import ANCHOR_WEIGHT, STRENGTH, StylizeOptions
from service.intake.errors import OptionsError
from service.messages import unknown
from service.problems import FieldError
from service.style import Init, Options, strength_to_content_weight, strength_to_opacity


@dataclass(frozen=True)
class Bounds:
    """What depends on the server: its settings, its device, its network.

    Attributes:
        max_size: longest side that can be asked for, pixels.
        default_size: longest side where the request does not say.
        max_budget: seconds that one request may take; None: no limit.
        default_budget: seconds for a request with neither budget nor iterations; None: as max_budget.
        layers: names of the network's layers.
    """

    max_size: int
    default_size: int
    max_budget: float | None
    default_budget: float | None
    layers: tuple[str, ...]

    @classmethod
    def of_device(
        cls,
        device: str,
        layers: tuple[str, ...],
        *,
        max_size: int | None = None,
        max_budget: float | None = None,
        default_budget: float | None = None,
    ) -> Self:
        """With the sizes that suit a "cpu" or a "cuda" device, as far as they are not given."""
        largest = max_size or (4096 if device == "cuda" else 1024)
        usual = min(512 if device == "cuda" else 256, largest)
        return cls(largest, usual, max_budget, default_budget, layers)

    def complete(
        self,
        asked: StylizeOptions,
        styles: int,
        *,
        content_mask: bool = False,
        style_masks: int = 0,
        init_image: bool = False,
        strength_mask: bool = False,
        anchor_image: bool = False,
        anchor_mask: bool = False,
    ) -> Options:
        """The options of a request in the terms of the optimiser, with every default filled in.

        Args:
            asked: what the request says.
            styles: how many artworks came with it.
            content_mask: whether one came.
            style_masks: how many came.
            init_image: whether one came.
            strength_mask: whether one came.
            anchor_image: whether one came.
            anchor_mask: whether one came.

        Raises:
            OptionsError: a value is beyond these bounds, or does not fit the pictures; all of them at once.
        """
        errors = [
            *self._beyond(asked),
            *_unblended(asked.style_weights, styles),
            *_unmatched(styles, content_mask, style_masks),
            *_unstarted(asked.init, init_image),
            *_unanchored(asked.anchor_weight, anchor_image, anchor_mask),
            *_unheld(asked.content_weight, strength_mask),
        ]
        if errors:
            raise OptionsError(errors)
        content_weight, opacity = asked.content_weight, 1.0
        if content_weight is None and asked.style_weight is None:
            strength = STRENGTH if asked.strength is None else asked.strength
            content_weight, opacity = strength_to_content_weight(strength), strength_to_opacity(strength)
        budget = asked.budget
        if budget is None and asked.iterations is None:
            budget = self.default_budget
        anchor_weight = ANCHOR_WEIGHT if asked.anchor_weight is None else asked.anchor_weight
        defaults = Options()
        return Options(
            size=asked.size or self.default_size,
            content_weight=defaults.content_weight if content_weight is None else content_weight,
            style_weight=defaults.style_weight if asked.style_weight is None else asked.style_weight,
            content_layers=asked.content_layers,
            style_layers=asked.style_layers,
            style_blend=None if asked.style_weights is None else tuple(asked.style_weights),
            style_scale=asked.style_scale,
            color=asked.color,
            opacity=opacity,
            tv_weight=asked.tv_weight,
            anchor_weight=anchor_weight if anchor_image else 0.0,
            local_strength=strength_mask,
            pooling=asked.pooling,
            tile=asked.tile,
            init="image" if init_image else asked.init,
            seed=asked.seed,
            depth=asked.depth,
            iterations=asked.iterations if opacity else 1,  # nothing of the painting is seen
            budget=budget,
            time_limit=self.max_budget,
        )

    def _beyond(self, asked: StylizeOptions) -> list[FieldError]:
        """What this server cannot do."""
        errors = []
        if asked.size is not None and asked.size > self.max_size:
            message = f"size is {asked.size}: give a whole number from 32 to {self.max_size}, in pixels."
            errors.append(FieldError("size", message))
        if asked.budget is not None and self.max_budget is not None and asked.budget > self.max_budget:
            message = (
                f"budget is {asked.budget:g}: give a number above 0, at most {self.max_budget:g}, in seconds."
            )
            errors.append(FieldError("budget", message))
        for field, layers in (("content_layers", asked.content_layers), ("style_layers", asked.style_layers)):
            errors += [
                FieldError(field, f"{field}: {unknown(name, self.layers, 'layer of this network')}")
                for name in layers
                if name not in self.layers
            ]
        return errors


def _unblended(style_weights: Sequence[float] | None, styles: int) -> list[FieldError]:
    """What is wrong with the blend of artworks."""
    if style_weights is None:
        return []
    if len(style_weights) != styles:
        message = f"style_weights has {len(style_weights)} numbers: give {styles}, one for each style."
        return [FieldError("style_weights", message)]
    if not any(style_weights):
        return [FieldError("style_weights", "style_weights are all 0: give at least one above 0.")]
    return []


def _unmatched(styles: int, content_mask: bool, style_masks: int) -> list[FieldError]:
    """What is wrong with the number of masks."""
    if style_masks and not content_mask:
        message = (
            "style_mask says where a style comes from, and content_mask where it goes: send both, or neither."
        )
        return [FieldError("content_mask", message)]
    if style_masks not in (0, styles):
        message = (
            f"style_mask was sent {style_masks} times: send one for each of the {styles} artworks, files first, then "
            "those by name; or none."
        )
        return [FieldError("style_mask", message)]
    return []


def _unstarted(init: Init, init_image: bool) -> list[FieldError]:
    """What is wrong with the start."""
    if init_image and init == "noise":
        message = "init_image and init=noise contradict each other: leave one of them out."
        return [FieldError("init_image", message)]
    if init == "image" and not init_image:
        message = (
            "init is image, but init_image is missing: send the picture to start from, or leave init out."
        )
        return [FieldError("init_image", message)]
    return []


def _unanchored(weight: float | None, anchor_image: bool, anchor_mask: bool) -> list[FieldError]:
    """What belongs to an anchor that is not there."""
    if anchor_image:
        return []
    given = {"anchor_mask": anchor_mask, "anchor_weight": weight is not None}
    return [
        FieldError(name, f"{name} goes with anchor_image, which is missing: send both, or neither.")
        for name, sent in given.items()
        if sent
    ]


def _unheld(content_weight: float | None, strength_mask: bool) -> list[FieldError]:
    """What is wrong with a mask of strengths: it multiplies the content weight."""
    if not strength_mask or content_weight != 0:
        return []
    message = (
        "content_weight is 0, so strength_mask cannot hold anything to the photograph: give a content_weight "
        "above 0, or leave strength_mask out."
    )
    return [FieldError("strength_mask", message)]
