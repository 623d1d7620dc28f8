"""Activations: rows of formulas over the element-wise functions."""
