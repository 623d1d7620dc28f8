"""``sg.nn.load``: the model of a file that ``Model.save`` has written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from symgrad.train.model import Model, Sequential
from symgrad.train.storage import files
from symgrad.train.storage.contents import refusal
from symgrad.train.storage.saved import WRONG, Saved, filled, is_constant, parsed, reason

_KINDS: dict[str, type[Model]] = {"Model": Model, "Sequential": Sequential}


def load(path: Any) -> Model:
    """The model of a file: weights, loss, metrics, optimizer and its state are those that were saved, to the bit.

    Nothing in a file is run: it holds numbers, names and formulas, and each is checked.

    Raises:  ModelFileError for a file that is damaged, of another kind or from a later version; OSError if there is
             none, or it may not be read

    >>> import tempfile
    >>> import symgrad as sg
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     net = sg.nn.Sequential([sg.nn.Dense(2)], input_shape=(3,))
    ...     net.save(f"{folder}/net.npz")
    ...     sg.nn.load(f"{folder}/net.npz").predict([[0.0, 0.0, 0.0]])
    array([[0., 0.]])
    """
    document, arrays = files.read(path, kind="model", allow_nan=is_constant)
    try:
        saved = parsed(document, arrays)
        model = _KINDS[saved.kind].__new__(_KINDS[saved.kind])
        _filled(model, saved, arrays)
    except WRONG as error:
        fix = "use another copy of it, or save the model again from where it was made"
        raise refusal(Path(path), f"it holds no model: {reason(error)}", fix) from None
    return model


def _filled(model: Model, saved: Saved, arrays: Any) -> None:
    model._start(saved.network, saved.dtype, saved.seed, saved.name)
    if saved.compiled is not None:
        model._take(saved.compiled.optimizer, saved.compiled.tasks)
        model.learning_rate, model.iterations = saved.compiled.learning_rate, saved.compiled.iterations
    filled(model, arrays)


__all__ = ["load"]
