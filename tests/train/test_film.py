"""The film of a training: one page that shows what the network was, to the byte the same, and fetches nothing."""

import base64
import hashlib
import io
import json
import re
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import symgrad as sg
from symgrad.errors import DeclarationError
from symgrad.train.picture.raster import Classes, Scale, spanning, symmetric
from symgrad.train.picture.reel import NOTHING, Frame, Reel, panels_of, picture
from symgrad.train.picture.surface import SIDE, plane
from symgrad.train.source import Source

Image = pytest.importorskip("PIL.Image", reason="a film is drawn by matplotlib, which comes with it")
RNG = np.random.default_rng(5)
X = RNG.normal(size=(40, 2))
Y = (X[:, :1] * X[:, 1:] > 0).astype(float)
HOSTILE = "</script><script>alert(1)</script> $x^2$"


@pytest.fixture(scope="module")
def filmed(tmp_path_factory):
    """The network, the film, its page as written, and the weights with and without a film."""
    net = sg.nn.Sequential([sg.nn.Dense(5, activation="tanh", name="hidden"), sg.nn.Dense(1)], input_shape=(2,))
    net.compile("adam", loss="binary_crossentropy", metrics=["accuracy"], from_logits=True)
    path, start = tmp_path_factory.mktemp("film") / "film.html", net.state_dict()
    film = sg.callbacks.Film(path, frames=6, features=(HOSTILE, "größe"), title=HOSTILE)
    net.fit(X, Y, epochs=9, callbacks=film)
    with_film = net.state_dict()
    net.load_state_dict(start)
    net.compile("adam", loss="binary_crossentropy", metrics=["accuracy"], from_logits=True)
    net.fit(X, Y, epochs=9)
    return SimpleNamespace(net=net, film=film, page=path.read_text(encoding="utf-8"), weights=with_film)


@pytest.fixture(scope="module")
def data(filmed):
    found = re.search(r'<script type="application/json">(.*?)</script>', filmed.page, re.DOTALL)
    return json.loads(found[1])


def decoded(text):
    """The colours of a PNG."""
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(text))).convert("RGBA"))


def test_training_is_the_same_to_the_bit(filmed):
    mine = filmed.net.state_dict()
    assert all(mine[name].tobytes() == w.tobytes() for name, w in filmed.weights.items())


def test_the_page_is_the_same_to_the_byte_and_fetches_nothing(filmed):
    assert filmed.film.html() == filmed.page
    assert set(re.findall(r"https?://[^\s\"'<>)]*", filmed.page)) <= {
        "http://www.w3.org/1999/xlink", "http://www.w3.org/2000/svg",
    }  # fmt: skip
    assert not re.search(r"<link|<iframe|@import|src=|\bdate\b", filmed.page)
    sources = set(re.findall(r'href="([^"]{0,10})', filmed.page))
    assert all(s.startswith(("data:image", "#")) for s in sources), sources


def test_only_the_page_s_own_script_may_run(filmed):
    (script,) = re.findall(r"<script>(.*?)</script>", filmed.page, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in filmed.page
    assert "default-src 'none'" in filmed.page
    assert "<script>alert" not in filmed.page
    assert "&lt;script&gt;alert(1)&lt;/script&gt; $x^2$" in filmed.page
    assert "größe" in filmed.page


def test_frames_are_even_and_end_with_the_last(filmed, data):
    epochs = [int(re.match(r"epoch (\d+)", w)[1]) for w in data["words"]]
    assert epochs == [0, 2, 4, 6, 8, 9]
    assert data["words"][-1] == (
        f"epoch 9: loss {filmed.net.history.history['loss'][-1]:.4g}"
        f"  accuracy {filmed.net.history.history['accuracy'][-1]:.4g}"
    )
    assert set(data["pictures"]) == {"surface", "weights0", "weights1"}
    assert all(len(frames) == len(epochs) for frames in (*data["pictures"].values(), *data["marks"].values()))
    for shifts in data["marks"].values():  # proportional to the epochs
        np.testing.assert_allclose(np.array(shifts) / shifts[0], 1 - np.array(epochs) / 9, atol=1e-4)


def test_the_last_frame_is_what_the_network_is(filmed, data):
    w = filmed.weights
    filmed.net.load_state_dict(w)
    look = filmed.film._plane
    left, right, bottom, top = look.extent
    seen = decoded(data["pictures"]["surface"][-1])
    half = np.array([right - left, top - bottom]) / (2 * SIDE)
    corners = np.array([[left, top], [right, top], [left, bottom], [right, bottom]])
    inside = corners + half * [[1, -1], [-1, -1], [1, 1], [-1, 1]]
    share = 1 / (1 + np.exp(-filmed.net.predict(inside)))
    scale = Scale(0.0, 1.0)
    wanted = scale.palette()[scale.indices(share)][:, 0]
    np.testing.assert_array_equal(seen[[0, 0, -1, -1], [0, -1, 0, -1]], wanted)
    kernel = decoded(data["pictures"]["weights0"][-1])
    red, blue = kernel[:2, :, 0].astype(int), kernel[:2, :, 2].astype(int)
    clear = abs(w["hidden_kernel"]) > 0.1 * abs(w["hidden_kernel"]).max()
    assert ((blue > red) == (w["hidden_kernel"] > 0))[clear].all()
    assert (kernel[2, :, 3] == 0).all()  # between kernel and bias


@pytest.mark.parametrize("place", ["surface", "weights0", "weights1"])
def test_what_is_seen_without_a_script_is_the_last_frame(filmed, data, place):
    images = re.findall(r"<image\b[^>]*>", filmed.page)
    (image,) = [i for i in images if f'id="{place}"' in i]
    shown = decoded(re.search(r"base64,([^\"]*)", image)[1].replace("\n", ""))
    assert np.array_equal(shown, decoded(data["pictures"][place][-1]))


def test_a_film_goes_through_a_checkpoint(filmed):
    state = filmed.film.get_state()
    other = sg.callbacks.Film(frames=6, features=filmed.film.features, title=HOSTILE)
    other.set_model(filmed.net)
    other.set_data(Source(filmed.net.task(False).training.data, [X, Y], "float64"))
    other.on_train_begin()
    other.set_state(state)
    other._history = filmed.film._history
    assert other.html() == filmed.page


def test_where_a_film_cannot_be_written(filmed, tmp_path):
    absent = sg.callbacks.Film(tmp_path / "no such folder" / "film.html")
    with pytest.raises(DeclarationError, match="there is no directory"):
        filmed.net.fit(X, Y, epochs=10, initial_epoch=9, callbacks=absent)
    (tmp_path / "gone").mkdir()
    film = sg.callbacks.Film(tmp_path / "gone" / "film.html")
    goes = sg.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: (tmp_path / "gone").rmdir())
    with pytest.warns(RuntimeWarning, match="Film: .* is not written"):
        filmed.net.fit(X, Y, epochs=10, initial_epoch=9, callbacks=[film, goes])
    assert [frame.epoch for frame in film._reel.frames] == [9, 10]
    assert "<iframe" in film._repr_html_()


@given(st.integers(1, 12), st.integers(2, 20), st.integers(0, 300))
def test_there_are_never_too_many_frames_and_they_are_even(every, most, epochs):
    reel = Reel(every, most)
    for epoch in range(epochs + 1):
        if not epoch or reel.wants(epoch):
            reel.add(Frame(epoch, (np.full((1, 1), epoch),), NOTHING))
    reel.close(Frame(epochs, (np.full((1, 1), epochs),), NOTHING))
    found = [frame.epoch for frame in reel.frames]
    assert found[0] == 0
    assert found[-1] == epochs
    assert len(found) <= most
    inner = found if found[-1] % reel.stride == 0 else found[:-1]
    assert inner == list(range(0, epochs + 1, reel.stride))
    assert epochs < 4 * every or len(found) > most / 4


def test_large_weights_are_shown_by_some_of_their_rows():
    weights = {"W": RNG.normal(size=(3, 3, 20, 70)), "b": np.arange(70.0), "a": np.zeros(())}
    seen = picture(["W", "b"], weights)
    assert seen.shape == (50, 48)
    assert seen[0, 0] == weights["W"][0, 0, 0, 0]
    assert seen[-1, [0, -1]].tolist() == [0, 69]
    assert picture(["a"], weights).shape == (1, 1)


def test_panels_are_layers_or_parameters():
    stack = [sg.nn.Dense(3, name="one"), sg.nn.Activation("tanh"), sg.nn.Dense(2, use_bias=False)]
    net = sg.nn.Sequential(stack, input_shape=(4,))
    assert panels_of(net) == {"one": ["one_kernel", "one_bias"], "dense": ["dense_kernel"]}
    x, v = sg.input("X", ("n", 2)), sg.parameter("v", (2,))
    assert panels_of(sg.Model(inputs=x, outputs=x @ v)) == {"v": ["v"]}


@pytest.mark.parametrize(
    ("units", "loss", "logits", "y", "kind"),
    [
        (1, "binary_crossentropy", True, Y, "share"),
        (1, "mse", False, Y, "value"),
        (3, "sparse_categorical_crossentropy", True, np.arange(40) % 3, "classes"),
        (3, "mse", False, np.eye(3)[np.arange(40) % 3], "classes"),
        (3, "mse", False, RNG.normal(size=(40, 3)), "value"),
    ],
)
def test_what_the_surface_means_follows_loss_and_target(units, loss, logits, y, kind):
    net = sg.nn.Sequential([sg.nn.Dense(units)], input_shape=(2,))
    net.compile("sgd", loss=loss, from_logits=logits)
    said = np.tile(np.arange(units, dtype=float), (SIDE * SIDE, 1))
    fake = SimpleNamespace(network=net.network, task=net.task, predict=lambda x: said)
    found = plane(fake, Source(net.task(False).training.data, [X, y], "float64"))
    assert found.kind == kind
    softmax = np.exp(said[0]) / np.exp(said[0]).sum()
    wanted = {"share": 0.5, "value": 0.0, "classes": 2 + (softmax[-1] if logits else 0.99)}[kind]
    np.testing.assert_allclose(found.look(fake), wanted, rtol=1e-6)


def test_other_networks_have_no_surface():
    net = sg.nn.Sequential([sg.nn.Dense(1)], input_shape=(3,))
    net.compile("sgd", loss="mse")
    assert plane(net, Source(net.task(False).training.data, [np.ones((4, 3)), np.ones(4)], "float64")) is None


def test_scales_hold_all_frames_and_leave_out_what_is_not_finite():
    values = [np.array([[-1.0, np.nan]]), np.array([[2.0, np.inf]])]
    assert symmetric(values) == Scale(-2.0, 2.0)
    assert spanning(values) == Scale(-1.0, 2.0)
    assert [symmetric(values).indices(v).tolist() for v in values] == [[[17, 0]], [[64, 0]]]
    assert symmetric([np.zeros((2, 2))]) == Scale(-1.0, 1.0)
    assert Scale(-1.7e308, 1.7e308).indices(np.array([-1.7e308, 0.0, 1.7e308])).tolist() == [1, 33, 64]
    classes = Classes(30)
    assert classes.palette().shape[0] == 241
    assert classes.indices(np.array([0.0, 19.99, 20.0, np.nan])).tolist() == [1, 240, 1, 0]


@pytest.mark.parametrize("options", [{"every": 0}, {"frames": 1}, {"frames": 2.0}, {"features": "xy"}])
def test_options_that_make_no_sense(options):
    with pytest.raises(DeclarationError):
        sg.callbacks.Film(**options)
