"""``--checkpoint``, ``--resume``, ``--save``: what is kept of a run, and what it goes on from.

In: the parsed options, and the trained network. Out: options of ``fit``, and a model file. Paths that cannot be written
are refused before the training, not after it.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from symgrad.errors import DeclarationError
from symgrad.frontend import declare
from symgrad.frontend.functions import TABLE as F
from symgrad.frontend.reductions import softmax
from symgrad.frontend.tensor import Tensor
from symgrad.ir.show import printable
from symgrad.ir.walk import substitute
from symgrad.train.data.scaling import Scaling
from symgrad.train.model import Model
from symgrad.train.storage.writable import check_writable
from symgrad.train.watching.checkpoint import ModelCheckpoint

_SOFTMAX = ("sparse_categorical_crossentropy", "categorical_crossentropy", "kl_divergence")


def add(train: argparse.ArgumentParser) -> None:
    """The options."""
    train.add_argument("--checkpoint", metavar="FILE", help="write the run to this file after every epoch")
    train.add_argument("--resume", action="store_true", help="go on from the checkpoint, if it is there")
    train.add_argument("--save", metavar="FILE", help="write the trained model, for sg.nn.load")


def check(options: argparse.Namespace) -> None:
    """Refuse what would fail later, or would write over a run.

    Raises:  DeclarationError
    """
    checkpoint, saved = options.checkpoint, options.save
    if options.resume and checkpoint is None:
        raise DeclarationError("--resume needs the file to go on from", fix="name it: --checkpoint run.npz --resume")
    for option, name in (("--checkpoint", checkpoint), ("--save", saved)):
        if name is not None:
            check_writable(option, Path(name))
    if checkpoint is not None and saved is not None and Path(checkpoint).resolve() == Path(saved).resolve():
        raise DeclarationError("--checkpoint and --save are one file", ("file", printable(saved)))
    if checkpoint is not None and not options.resume and Path(checkpoint).exists():
        fix = "go on from it with --resume, give another name, or remove it"
        raise DeclarationError("a run would be written over", ("file", printable(checkpoint)), fix=fix)


def callbacks(options: argparse.Namespace) -> list[ModelCheckpoint]:
    """What writes the run, if that is wanted."""
    return [] if options.checkpoint is None else [ModelCheckpoint(options.checkpoint)]


def resume(options: argparse.Namespace) -> Path | None:
    """What the run goes on from; says so."""
    if not options.resume:
        return None
    path = Path(options.checkpoint)
    print(f"goes on from {path}\n" if path.exists() else f"{path} is not there yet: a new run\n")
    return path


def write(options: argparse.Namespace, net: Model, loss: str, scalings: tuple[Scaling, Scaling | None]) -> None:
    """The model file, if it is wanted.

    Raises:  OSError if it cannot be written
    """
    if options.save is not None:
        whole(net, loss, *scalings).save(options.save)
        print(f"saved in {options.save}: sg.nn.load(...).predict(X) takes rows as they are in the data")


def whole(net: Model, loss: str, scale: Scaling, target: Scaling | None) -> Model:
    """The network with what comes before and after it: rows as they are, probabilities or numbers of the target's unit.

    Maths:   x -> T^-1(net(S(x))) for numbers, softmax(net(S(x))) or sigmoid for classes
    """
    (inner,) = net.network.inputs
    x = declare.input("X", inner.shape)
    (node,) = substitute([net.network.output], {inner: scale(x).node})
    out = Tensor(node)
    if target is not None:
        out = target.inverse(out)
    elif loss == "binary_crossentropy":
        out = F["sigmoid"](out)
    elif loss in _SOFTMAX:
        out = softmax(out)
    found = Model(x, out, dtype=net.dtype, name=net.name)
    found.load_state_dict(net.state_dict())
    return found


__all__ = ["add", "callbacks", "check", "resume", "whole", "write"]
