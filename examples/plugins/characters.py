"""A small transformer that learns to write a text, one character after another."""

import hashlib
from pathlib import Path
from types import SimpleNamespace

import torch
from pydantic import BaseModel, Field
from torch import nn
from torch.nn import functional

import fop_core
from fop_core.training.plugins import path

PROSE = Path(fop_core.__file__).parent / "reproduction" / "prose.txt"  # from this program's documents, and fixed
SHA256 = "da4087cacb0fb9fe46e38f7655ab643957e3de2fb2c1b3bfa91c6903663a6351"  # of its bytes


class Settings(BaseModel):
    file: str = Field("", description="a text in UTF-8; unless given, fixed prose on this program")
    sha256: str = Field("", description="of the file's bytes: another text is refused")
    length: int = Field(64, ge=2, description="characters that it sees at once")
    width: int = Field(64, ge=4, multiple_of=4, description="numbers a character; four heads share them")
    depth: int = Field(2, ge=1, description="layers")


def read(settings):
    file, sha256 = (path(settings.file), settings.sha256) if settings.file else (PROSE, SHA256)
    content = Path(file).read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    if digest != (sha256 or digest):
        raise ValueError(f"{file} has changed: its SHA-256 is {digest}, and {sha256} is wanted")
    return content.decode()


def cross_entropy(outputs, targets):
    return functional.cross_entropy(outputs.flatten(0, 1), targets.flatten())


def make_data(settings, seed):
    text = read(settings)
    alphabet = sorted(set(text))
    codes = torch.tensor([alphabet.index(character) for character in text])
    windows = codes.unfold(0, settings.length + 1, settings.length)  # each begins where the last one ended
    split = len(windows) // 10
    return SimpleNamespace(
        train=(windows[split:, :-1], windows[split:, 1:]),
        test=(windows[:split, :-1], windows[:split, 1:]),
        input=(settings.length,),
        output=(settings.length, len(alphabet)),
        loss=cross_entropy,
        metrics={"accuracy": lambda outputs, targets: (outputs.argmax(-1) == targets).float().mean()},
    )


class Transformer(nn.Module):
    def __init__(self, length, characters, width, depth):
        super().__init__()
        self.character = nn.Embedding(characters, width)
        self.position = nn.Embedding(length, width)
        layer = nn.TransformerEncoderLayer(width, 4, 4 * width, dropout=0.0, batch_first=True, norm_first=True)
        self.layers = nn.TransformerEncoder(layer, depth, enable_nested_tensor=False)
        self.head = nn.Linear(width, characters)
        self.register_buffer("future", nn.Transformer.generate_square_subsequent_mask(length))

    def forward(self, codes):
        x = self.character(codes) + self.position.weight
        return self.head(self.layers(x, mask=self.future, is_causal=True))


def make_model(settings, data):
    length, characters = data.output
    return Transformer(length, characters, settings.width, settings.depth)
