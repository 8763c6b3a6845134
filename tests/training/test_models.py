"""The paper's networks."""

import pytest
import torch

from fop_core.training import models


def test_the_mlp_has_the_four_matrices_of_the_paper():
    shapes = [tuple(p.shape) for p in models.mnist_mlp().parameters() if p.ndim == 2]
    assert shapes == [(100, 784), (100, 100), (100, 100), (10, 100)]
    assert sum(p.numel() for p in models.mnist_mlp().parameters()) == 78_500 + 2 * 10_100 + 1_010  # with biases
    assert models.mnist_mlp(7)(torch.zeros(2, 1, 28, 28)).shape == (2, 10)


def test_the_all_cnn_has_nine_convolutions_the_last_two_1x1_and_stride_2_twice():
    convolutions = [m for m in models.all_cnn().modules() if isinstance(m, torch.nn.Conv2d)]
    assert [m.kernel_size[0] for m in convolutions] == [3] * 7 + [1] * 2
    assert [m.out_channels for m in convolutions] == [96] * 3 + [192] * 5 + [10]
    assert [m.stride[0] for m in convolutions] == [1, 1, 2, 1, 1, 2, 1, 1, 1]
    assert (
        sum(m.weight.numel() for m in convolutions) == 9 * (3 * 96 + 2 * 96**2 + 96 * 192 + 3 * 192**2) + 192**2 + 1920
    )
    assert models.all_cnn(7)(torch.zeros(2, 3, 32, 32)).shape == (2, 7)


def test_width_is_a_factor_on_the_channels_of_the_all_cnn_and_never_leaves_none():
    def channels(width):
        return [m.out_channels for m in models.all_cnn(width=width).modules() if isinstance(m, torch.nn.Conv2d)]

    assert channels(0.25) == [24] * 3 + [48] * 5 + [10]
    assert channels(1e-6) == [1] * 8 + [10]


def test_batch_norm_is_after_each_convolution_but_the_last_or_biases_are_there_instead():
    kinds = [type(m).__name__ for m in models.all_cnn()]
    assert kinds == ["Conv2d", "BatchNorm2d", "ReLU"] * 8 + ["Conv2d", "AdaptiveAvgPool2d", "Flatten"]
    with_norm, plain = (
        [m.bias is not None for m in models.all_cnn(batch_norm=n) if hasattr(m, "kernel_size")] for n in (True, False)
    )
    assert with_norm == [False] * 8 + [True]
    assert plain == [True] * 9
    plain = models.all_cnn(batch_norm=False)
    assert not any(isinstance(m, torch.nn.BatchNorm2d) for m in plain.modules())
    assert plain(torch.zeros(2, 3, 32, 32)).shape == (2, 10)


def test_resnet18_is_the_one_of_eleven_million():
    assert sum(p.numel() for p in models.resnet18().parameters()) == 11_689_512


@pytest.mark.parametrize("size", [(32, 32), (64, 97), (299, 299)])
def test_resnet18_takes_images_of_any_size(size):
    model = models.resnet18(5).eval()
    with torch.no_grad():
        assert model(torch.zeros(1, 3, *size)).shape == (1, 5)
