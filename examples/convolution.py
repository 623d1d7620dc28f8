"""A convolutional network on the 8 x 8 digits that come with scikit-learn; ``examples/convolution.py 3`` takes seed 3.

The recipe was chosen on validation rows, as printed first; then it learns anew from all rows but those of the test,
which are looked at once.
"""

import sys

import numpy as np
from sklearn.datasets import load_digits

import symgrad as sg

EPOCHS, BATCH = 24, 32
seed = int(sys.argv[1]) if len(sys.argv) > 1 else 0


def shifted(images, labels):
    """Each image five times: as it is, and moved by one pixel up, down, left and right."""
    wide = np.pad(images, ((0, 0), (1, 1), (1, 1), (0, 0)))
    places = [(1, 1), (0, 1), (2, 1), (1, 0), (1, 2)]
    return np.concatenate([wide[:, i : i + 8, j : j + 8] for i, j in places]), np.tile(labels, 5)


def learned(images, labels):
    """A layer of convolutions and one of dense units, after ``EPOCHS`` epochs."""
    rectified = {"activation": "relu", "kernel_initializer": "he_normal"}
    net = sg.nn.Sequential(
        [
            sg.nn.Conv2D(32, 3, name="strokes", **rectified),
            sg.nn.MaxPooling2D(2),
            sg.nn.Flatten(),
            sg.nn.Dropout(0.3),
            sg.nn.Dense(64, name="parts", **rectified),
            sg.nn.Dropout(0.3),
            sg.nn.Dense(10, name="digits"),
        ],
        input_shape=(8, 8, 1), dtype="float32", seed=seed,
    )  # fmt: skip
    x, y = shifted(images, labels)
    rate = sg.schedules.CosineDecay(0.003, EPOCHS * -(-len(x) // BATCH))
    net.compile(
        sg.optimizers.Adam(rate), loss="sparse_categorical_crossentropy", metrics=["accuracy"], from_logits=True
    )  # fmt: skip
    net.fit(x, y, batch_size=BATCH, epochs=EPOCHS, seed=seed)
    return net


images, labels = load_digits(return_X_y=True)
rows, test = sg.data.split(images.reshape(-1, 8, 8, 1) / 16, labels, share=0.25, seed=0, stratify=labels)
train, validation = sg.data.split(*rows, share=0.2, seed=seed, stratify=rows[1])
for part, (x, y), (kept_x, kept_y) in (("validation", train, validation), ("test", rows, test)):
    net = learned(x, y)
    loss, accuracy = net.history.history["loss"], net.history.history["accuracy"]
    print(f"{len(x)} images: loss {loss[0]:.4f} -> {loss[-1]:.4f}, accuracy {accuracy[0]:.4f} -> {accuracy[-1]:.4f}")
    print(f"{part} accuracy {net.evaluate(kept_x, kept_y, return_dict=True)['accuracy']:.4f} of {len(kept_x)} images")
print(net.summary())
