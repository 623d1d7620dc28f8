"""Handwritten digits: a softmax classifier and a network with a hidden layer, trained with a compiled gradient.

Prints the derivation, the gradient check, the learning curve and the test accuracy. Data: the 1797 images of 8 x 8
pixels that come with scikit-learn.
"""

import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

import symgrad as sg

EPOCHS, BATCH, RATE = 40, 32, 0.1


def softmax_classifier():
    """Logits from one linear layer: (loss, logits, parameters)."""
    W1 = sg.parameter("W1", (64, 10))
    b1 = sg.parameter("b1", (10,))
    z2 = sg.named("z2", X @ W1 + b1)
    return loss_of(z2), z2, [W1, b1]


def hidden_layer():
    """Logits from a hidden layer of 64 rectified units: (loss, logits, parameters)."""
    W1 = sg.parameter("W1", (64, 64))
    b1 = sg.parameter("b1", (64,))
    W2 = sg.parameter("W2", (64, 10))
    b2 = sg.parameter("b2", (10,))
    z2 = sg.named("z2", X @ W1 + b1)
    a2 = sg.named("a2", sg.relu(z2))
    z3 = sg.named("z3", a2 @ W2 + b2)
    return loss_of(z3), z3, [W1, b1, W2, b2]


def loss_of(logits):
    """Mean cross-entropy of softmax against one-hot targets."""
    return sg.named("J", -sg.mean(sg.sum(Y * sg.log_softmax(logits), axis=1)))


def train(fn, weights, data, targets, rng):
    """Mini-batch gradient descent; the mean loss of each epoch."""
    curve = []
    for _ in range(EPOCHS):
        order = rng.permutation(len(data))
        losses = []
        for start in range(0, len(data), BATCH):
            rows = order[start : start + BATCH]
            loss, gradient = fn.value_and_grad(data[rows], targets[rows], *weights)
            for weight, slope in zip(weights, gradient, strict=True):
                weight -= RATE * slope
            losses.append(loss)
        curve.append(float(np.mean(losses)))
    return curve


def drawn(curve, width=50):
    """The learning curve as text, one row for every fourth epoch."""
    top = max(curve)
    return "\n".join(
        f"  epoch {i + 1:>3} {v:8.4f} {'#' * max(1, round(width * v / top))}" for i, v in enumerate(curve) if i % 4 == 0
    )


X = sg.input("X", ("n", 64))
Y = sg.input("Y", ("n", 10))

images, labels = load_digits(return_X_y=True)
train_x, test_x, train_t, test_t = train_test_split(
    images / 16.0, labels, test_size=0.25, random_state=0, stratify=labels
)
train_y = np.eye(10)[train_t]

for title, build in (("Softmax classifier", softmax_classifier), ("One hidden layer of 64 units", hidden_layer)):
    rng = np.random.default_rng(0)
    loss, logits, parameters = build()
    fn = sg.compile(loss, wrt=parameters)
    predict = sg.compile(sg.argmax(logits, axis=1), inputs=[X, *parameters])
    weights = [
        rng.normal(size=p.shape) * np.sqrt(2 / p.shape[0]) if p.ndim == 2 else np.zeros(p.shape) for p in parameters
    ]

    print(f"== {title}\n")
    print(fn.derivation(), "\n")
    print(fn.check(train_x[:8], train_y[:8], *weights), "\n")
    curve = train(fn, weights, train_x, train_y, rng)
    print(drawn(curve))
    accuracy = np.mean(predict(test_x, *weights) == test_t)
    print(f"  test accuracy {accuracy:.4f}\n")
