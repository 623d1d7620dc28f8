"""One HTML file: sections of text and a film, with style and script inside; nothing is fetched.

In: plain text (a user's names too) and drawings. Out: the page. Invariant: text is escaped, and the page allows no
other script than its own; the same input gives the same bytes.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
from collections.abc import Sequence
from importlib.resources import files
from string import Template

from symgrad.train.picture.drawing import Drawing, plain

_SECONDS = 8.0  # that a film lasts
_KEYS = "space plays and pauses; the arrows show one frame back or forth, Home and End the first and the last"


def page(title: str, sections: Sequence[str]) -> str:
    """The page of sections that are HTML already."""
    script = _resource("film.js")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode("ascii")
    return Template(_resource("page.html")).substitute(
        title=html.escape(plain(title, 200)),
        style=_resource("page.css"),
        body="\n".join(sections),
        script=script,
        digest=digest,
    )


def _resource(name: str) -> str:
    return files("symgrad.train.picture").joinpath(name).read_text(encoding="utf-8")


def text(title: str, body: str, folded: bool = False) -> str:
    """A section of plain text, as it stands.

    >>> text("a < b", "1")
    '<section><h2>a &lt; b</h2><pre>1</pre></section>'
    """
    shown = f"<pre>{html.escape(body)}</pre>"
    if folded:
        return f"<details><summary>{html.escape(title)}</summary>{shown}</details>"
    return f"<section><h2>{html.escape(title)}</h2>{shown}</section>"


def film(drawing: Drawing, words: Sequence[str]) -> str:
    """The figure with its controls; ``words`` say what each frame is. Without a script, the last frame is seen."""
    last = len(words) - 1
    data = {
        "words": list(words), "pictures": dict(drawing.pictures), "marks": dict(drawing.marks),
        "pause": max(40, min(500, round(1000 * _SECONDS / len(words)))),
    }  # fmt: skip
    packed = json.dumps(data, separators=(",", ":")).replace("<", "\\u003c")
    return (
        f'<figure class="film">\n{drawing.svg}\n<div class="controls" hidden><button type="button">Play</button>'
        f'<input type="range" min="0" max="{last}" value="{last}" aria-label="frame" autocomplete="off">'
        f"<output>{html.escape(words[-1])}</output></div>\n"
        f'<figcaption class="keys">{_KEYS}</figcaption>\n'
        f'<script type="application/json">{packed}</script>\n</figure>'
    )


__all__ = ["film", "page", "text"]
