"""Regression on the 442 patients that come with scikit-learn: a network beside a line through the same rows."""

import numpy as np
from sklearn.datasets import load_diabetes
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import train_test_split

import symgrad as sg

x, y = load_diabetes(return_X_y=True)
train_x, test_x, train_y, test_y = train_test_split(x, y, test_size=0.25, random_state=0)
mean, spread, centre, unit = train_x.mean(axis=0), train_x.std(axis=0), train_y.mean(), train_y.std()
net = sg.nn.Sequential([sg.nn.Dense(16, activation="tanh"), sg.nn.Dense(1)], input_shape=(10,))
net.compile("adam", loss="mse", metrics=["r2"])
net.fit((train_x - mean) / spread, (train_y - centre) / unit, batch_size=32, epochs=60)
guess = centre + unit * net.predict((test_x - mean) / spread)[:, 0]
total = np.sum((test_y - test_y.mean()) ** 2)
print(f"network: test R2 {1 - np.sum((test_y - guess) ** 2) / total:.4f}")
print(f"line:    test R2 {LinearRegression().fit(train_x, train_y).score(test_x, test_y):.4f}")
