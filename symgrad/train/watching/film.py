"""Film: a training as a page with a slider: the decision surface, the weights by layer, the curves."""

from __future__ import annotations

import html
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from symgrad.errors import DeclarationError
from symgrad.train.history import History
from symgrad.train.picture import drawing, page
from symgrad.train.picture.reel import NOTHING, Frame, Reel, panels_of, picture
from symgrad.train.picture.surface import plane
from symgrad.train.source import Source
from symgrad.train.storage.writable import check_writable
from symgrad.train.watching.hooks import Callback
from symgrad.train.watching.progress import words

FRAMES = 100


class Film(Callback):
    """Write a page in which the training can be played: one HTML file, which needs no network.

    A frame shows the weights of each layer (blue above 0, red below) and, where the data have two features, what the
    network says over their plane, with the rows that it learns from; the scales are the same in all frames. The curves
    are those of the history, a LayerStatistics' norms among them. Frames are taken before the first epoch, after
    every ``every``-th (more rarely in a long run: there are at most ``frames``) and at the end, whatever ended the run.
    A large matrix is shown by 48 rows and columns of it, a deep network by its first 8 layers.

    Without a ``filepath`` nothing is written; ``html()`` is the page. A place that cannot be
    written is an error before the first epoch, a file that cannot be written in the end a warning.

    Raises:  DeclarationError for options that make no sense; CallError where matplotlib is not installed
    >>> Film("film.html", every=5).filepath.name
    'film.html'
    """

    def __init__(
        self, filepath: Any = None, *, every: int = 1, frames: int = FRAMES, features: Any = ("x1", "x2"),
        title: str = "Film of a training",
    ) -> None:  # fmt: skip
        super().__init__()
        for name, value, least in (("every", every, 1), ("frames", frames, 2)):
            if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < least:
                raise DeclarationError(f"{name} is a whole number of {least} or more", ("given", repr(value)[:40]))
        if isinstance(features, str) or len(features) != 2:
            raise DeclarationError("features are the names of two", ("given", repr(features)[:40]))
        self.filepath = None if filepath is None else Path(filepath)
        self.every, self.frames, self.title = int(every), int(frames), str(title)
        self.features = str(features[0]), str(features[1])
        self._data: Source | None = None
        self._history, self._has_begun = History(), False

    def set_data(self, source: Source) -> None:
        """The rows that are learned from."""
        self._data = source

    def on_train_begin(self, logs: Any = None) -> None:
        self._has_begun = False
        drawing.needs_matplotlib()
        if self.filepath is not None:
            check_writable("Film", self.filepath)
        self._reel, self._panels = Reel(self.every, self.frames), panels_of(self.model)
        self._plane = plane(self.model, self._data)
        self._start: Frame | None = self._frame(0)
        self._done, self._has_begun = 0, True

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        if self._start is not None:
            self._reel.add(Frame(epoch, self._start.panels, self._start.surface))
            self._start = None
        self._done = epoch + 1
        if self._reel.wants(self._done):
            self._reel.add(self._frame(self._done))

    def on_train_end(self, logs: Any = None) -> None:
        if not self._has_begun:  # the error that kept it from that is the one to be seen
            return
        self._history = self.model.history
        self._reel.close(self._frame(self._done))
        if self.filepath is None:
            return
        try:
            self.filepath.write_text(self.html(), encoding="utf-8")
        except OSError as error:
            why = f"Film: {self.filepath} is not written ({error.strerror or error})"
            warnings.warn(why, RuntimeWarning, stacklevel=2)

    def html(self) -> str:
        """The page of the last run."""
        return page.page(self.title, [self.section()])

    def section(self) -> str:
        """The film as a part of a page."""
        many = self.model.network.output.shape[-1]
        film = drawing.Film(self._reel.frames, list(self._panels), self._plane, self.features, many)
        said = [self._words(frame) for frame in self._reel.frames]
        return page.film(drawing.draw(film, self._history), said)

    def _words(self, frame: Frame) -> str:
        found = f"epoch {frame.epoch}"
        if frame.epoch - 1 not in self._history.epoch:
            return found
        place = self._history.epoch.index(frame.epoch - 1) - len(self._history.epoch)
        logs = {name: values[place] for name, values in self._history.history.items() if -place <= len(values)}
        return f"{found}: {words(logs)}"

    def _frame(self, epoch: int) -> Frame:
        weights = self.model.state_dict()
        shown = tuple(picture(names, weights) for names in self._panels.values())
        return Frame(epoch, shown, self._plane.look(self.model) if self._plane is not None else NOTHING)

    def get_state(self) -> dict[str, Any]:
        frames = [[f.epoch, list(f.panels), f.surface] for f in self._reel.frames]
        return {"stride": self._reel.stride, "frames": frames, "done": self._done}

    def set_state(self, state: dict[str, Any]) -> None:
        frames = [Frame(epoch, tuple(panels), surface) for epoch, panels, surface in state["frames"]]
        self._reel = Reel(state["stride"], self.frames, frames)
        self._start, self._done = (self._start if not frames else None), state["done"]

    def _repr_html_(self) -> str:
        """The page in the output of a notebook's cell."""
        style = "border: 0; width: 100%; height: 46em"
        return f'<iframe style="{style}" srcdoc="{html.escape(self.html())}"></iframe>'
