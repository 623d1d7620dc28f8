"""An optimizer as plain data, and back: its name and options, schedules and their formulas included.

optimizer = {"name": "Adam", "options": {name: value}}
value     = number | true | false | null | "text" | [value, ...] | {"schedule": name, "options": {...}}
          | {"formula": rows}
"""

from __future__ import annotations

from typing import Any

import sympy as sp

from symgrad.frontend.stored_formula import formula_from_plain, formula_to_plain
from symgrad.train.rules import optimizers, schedules
from symgrad.train.rules.decays import STEP
from symgrad.train.rules.optimizers import Optimizer
from symgrad.train.rules.schedules import LearningRateSchedule
from symgrad.train.storage.places import fields

_DEEPEST = 8  # schedules after schedules


def optimizer_to_plain(optimizer: Optimizer) -> dict[str, Any]:
    """Name and options.

    >>> optimizer_to_plain(optimizers.LBFGS())["options"]["maxcor"]
    10
    """
    return {"name": optimizer.name, "options": {name: _plain(value) for name, value in optimizer.options}}


def _plain(value: Any) -> Any:
    if isinstance(value, LearningRateSchedule):
        return {"schedule": value.name, "options": {name: _plain(v) for name, v in value.options}}
    if isinstance(value, sp.Basic):
        return {"formula": formula_to_plain(value, STEP)}
    return [_plain(v) for v in value] if isinstance(value, tuple) else value


def optimizer_from_plain(data: Any) -> Optimizer:
    """The optimizer again; a ValueError, or what the table says of its options, tells what is wrong with the data."""
    name, options = fields(data, "name", "options")
    if not isinstance(name, str) or name not in optimizers.ROWS:
        raise ValueError("there is no optimizer of its name")
    values = fields(options, *(o.name for o in optimizers.ROWS[name].options))
    known = {o.name: _value(v) for o, v in zip(optimizers.ROWS[name].options, values, strict=True)}
    return optimizers.get(name, **known)


def _value(data: Any, depth: int = 0) -> Any:
    if isinstance(data, list):
        return [_value(v, depth) for v in data]
    if not isinstance(data, dict):
        return data
    if data.keys() == {"formula"}:
        return formula_from_plain(data["formula"], STEP)
    name, options = fields(data, "schedule", "options")
    if not isinstance(name, str) or name not in schedules.ROWS or depth > _DEEPEST:
        raise ValueError("there is no schedule of its name")
    rows = schedules.ROWS[name].options
    values = {o.name: _value(v, depth + 1) for o, v in zip(rows, fields(options, *(o.name for o in rows)), strict=True)}
    if isinstance(values.get("expression"), str):
        raise ValueError("a formula is stored as rows, not as text")
    return schedules.MAKERS[name](**values)


__all__ = ["optimizer_from_plain", "optimizer_to_plain"]
