"""One operation on a list of tensors, in a kernel or two for all of them where torch has such.

Those kernels are private to torch, and called here alone. Each has a twin of public calls, named ``public_...``, which
stands in where a version of torch lacks it; tests hold the two to agree.
"""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.optim.adam import adam as torch_adam

Tensors = Sequence[Tensor]


def public_copy(to: Tensors, of: Tensors) -> None:
    """Copy each tensor's numbers into another one."""
    for target, source in zip(to, of, strict=True):
        target.copy_(source)


def public_norms(tensors: Tensors, order: float = 2.0) -> list[Tensor]:
    """Return each tensor's norm, 0-d: the root of the sum of squares, or with ``math.inf`` the largest entry."""
    return [torch.linalg.vector_norm(tensor, order) for tensor in tensors]


def public_adam(
    parameters: list[Tensor],
    gradients: list[Tensor],
    means: list[Tensor],
    squares: list[Tensor],
    counts: list[Tensor],
    *,
    is_finite: Tensor,
    nonfinite: Tensor,
    rate: float,
    eps: float,
) -> None:
    """Move each parameter up its gradient by Adam (beta 0.9, 0.999), unless something is not finite.

    Args:
        parameters: changed in place, as are the moments and counts.
        gradients: theirs.
        means: the first moments.
        squares: the second moments.
        counts: of the steps before this one, 0-d.
        is_finite: 0 where nothing is to change, else 1; 0-d.
        nonfinite: 1 minus that, float32.
        rate: the learning rate.
        eps: added to the root of the second moment.
    """
    torch_adam(
        parameters,
        gradients,
        means,
        squares,
        [],
        counts,
        fused=True,
        found_inf=nonfinite,
        beta1=0.9,
        beta2=0.999,
        lr=rate,
        eps=eps,
        weight_decay=0.0,
        amsgrad=False,
        maximize=True,
    )


def _adam(
    parameters: list[Tensor],
    gradients: list[Tensor],
    means: list[Tensor],
    squares: list[Tensor],
    counts: list[Tensor],
    *,
    is_finite: Tensor,
    nonfinite: Tensor,
    rate: float,
    eps: float,
) -> None:
    torch._foreach_add_(counts, [is_finite] * len(counts))
    torch._fused_adam_(
        parameters,
        gradients,
        means,
        squares,
        [],
        counts,
        found_inf=nonfinite,
        grad_scale=None,
        lr=rate,
        beta1=0.9,
        beta2=0.999,
        eps=eps,
        weight_decay=0.0,
        amsgrad=False,
        maximize=True,
    )


def _here(name: str) -> Any:
    return getattr(torch, name, None)


copy: Callable[[Tensors, Tensors], None] = _here("_foreach_copy_") or public_copy
norms: Callable[..., Sequence[Tensor]] = _here("_foreach_norm") or public_norms
adam = _adam if _here("_foreach_add_") and _here("_fused_adam_") else public_adam
