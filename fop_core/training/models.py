"""The paper's networks. Where it is silent the docstring says what was chosen."""

import itertools

from torch import nn


def mnist_mlp(width: int = 100) -> nn.Sequential:
    """Return the 4-layer network of 2.2: 784 - 100 - 100 - 100 - 10, for images [N, 1, 28, 28].

    "4-layer ... with 100 units per layer" is read as four weight matrices, the last giving the ten classes. Chosen:
    ReLU, torch's own initialization.
    """
    sizes = [784, width, width, width, 10]
    layers: list[nn.Module] = [nn.Flatten()]
    for index, (n, out) in enumerate(itertools.pairwise(sizes)):
        layers += [nn.Linear(n, out)] + ([nn.ReLU()] if index < 3 else [])
    return nn.Sequential(*layers)


def all_cnn(classes: int = 10, width: float = 1.0, batch_norm: bool = True) -> nn.Sequential:
    """Return the 9-layer network of 4.1 after Springenberg et al. (2014), All-CNN-C, for images [N, 3, 32, 32].

    Seven 3x3 convolutions of 96 and 192 channels, the third and the sixth of stride 2, then two of 1x1 and the mean
    over positions. Chosen: BatchNorm after each convolution but the last and no dropout (the original has the
    reverse); the seventh convolution is padded, as in most reimplementations.

    Args:
        classes: the number of classes.
        width: a factor on the channels.
        batch_norm: False for none, with biases in the convolutions instead.
    """
    small, large = max(1, round(96 * width)), max(1, round(192 * width))
    plan = [(small, 3, 1), (small, 3, 1), (small, 3, 2), (large, 3, 1), (large, 3, 1), (large, 3, 2), (large, 3, 1)]
    plan += [(large, 1, 1), (classes, 1, 1)]
    layers: list[nn.Module] = []
    channels = 3
    for index, (out, kernel, stride) in enumerate(plan):
        last = index == len(plan) - 1
        bias = last or not batch_norm
        layers.append(nn.Conv2d(channels, out, kernel, stride, padding=kernel // 2, bias=bias))
        if not last:
            layers += [nn.BatchNorm2d(out)] if batch_norm else []
            layers.append(nn.ReLU(inplace=True))
        channels = out
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten())


def resnet18(classes: int = 1000) -> nn.Module:
    """Return torchvision's ResNet-18 (4.2) with its own initialization, for images [N, 3, H, W], untrained."""
    from torchvision.models import resnet18 as build

    return build(num_classes=classes)
