"""Data before training: zero-centred, standardised, divided by the maximum, each learned from the training rows only.

``python examples/data_preparation.py scatter.png`` draws the scatter plots.
"""

import sys

import numpy as np

import symgrad as sg

rng = np.random.default_rng(0)
points = rng.normal(size=(300, 2)) @ [[1.5, 0.6], [0.0, 0.5]] + [4.0, 2.0]
train, test = sg.data.split(points, share=0.2, seed=0)
print(f"{len(train)} points to learn from, {len(test)} kept apart")
maps = [sg.data.centre(train), sg.data.standardise(train), sg.data.divide_by_maximum(train), sg.data.min_max(train)]
for scaling in maps:
    print(f"\n{scaling}")
    z, other = scaling(train), scaling(test)
    print("  means", np.round(z.mean(axis=0), 6) + 0.0, "deviations", np.round(z.std(axis=0), 6))
    print("  of the points kept apart, by the same numbers: means", np.round(other.mean(axis=0), 3))
    assert np.allclose(scaling.inverse(z), train, rtol=1e-12)

# Exam results of hours of sleep and of study, divided by their maxima; a new student by the same maxima
hours = np.array([[3.0, 5], [5, 1], [10, 2]])
by_maximum = sg.data.divide_by_maximum(hours)
print("\nhours by their maxima:", by_maximum(hours).tolist(), "and (8, 3):", by_maximum([[8.0, 3.0]]).tolist())

coding = sg.data.one_hot(["rose", "lily", "rose", "iris"])
print(f"\n{coding}")
print("lily, rose:", coding(["lily", "rose"]).tolist(), "and back:", coding.inverse([[0, 0.2, 0.8]]).tolist())

if len(sys.argv) > 1:
    import matplotlib.pyplot as plt

    drawn = [("original data", train), *((s.row.name.replace("_", " "), s(train)) for s in maps[:3])]
    figure, panels = plt.subplots(1, 4, figsize=(14, 4), layout="constrained")
    for panel, (title, z) in zip(panels, drawn, strict=True):
        reach = 1.1 * abs(z).max()
        panel.scatter(*z.T, s=6)
        panel.axhline(0, color="grey", linewidth=0.8)
        panel.axvline(0, color="grey", linewidth=0.8)
        panel.set(title=title, xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal", xlabel="x1")
    panels[0].set_ylabel("x2")
    figure.savefig(sys.argv[1], dpi=100)
