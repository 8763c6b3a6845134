"""What all figures of a study share: what one is, its scales, what seeds come to, and how numbers are written."""

from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np
import plotly.graph_objects as go
from matplotlib.figure import Figure

from fop_core.figures import style
from fop_core.figures.paper import MARKERS
from fop_core.figures.style import Method
from fop_core.formatting import percents

Array = np.ndarray

MUTED = "#80868F"  # of what is neither data nor text: seen on light and on dark
INK, PAPER = style.LIGHT.ink, style.LIGHT.paper
LOST = "✕"  # a run that diverged, or missed the target


class Drawing(Protocol):
    """A figure of a study.

    Example:
        >>> import numpy as np
        >>> from fop_core.figures.studies import Drawing, Times, TimeToTarget
        >>> drawing: Drawing = TimeToTarget([Times("fop", np.array([400.0, 500.0, 450.0]))], "steps to 97 %")
        >>> drawing.alt
        'steps to 97 %, medians: FOP 450'
    """

    @property
    def alt(self) -> str:
        """What it shows, in words.

        Example:
            >>> import numpy as np
            >>> from fop_core.figures.studies import Drawing, Times, TimeToTarget
            >>> drawing: Drawing = TimeToTarget([Times("fop", np.array([400.0, np.inf, np.inf]))], "steps to 97 %")
            >>> drawing.alt
            'steps to 97 %, medians: FOP ∞'
        """
        ...

    def screens(self) -> dict[str, go.Figure]:
        """Return it for a page: pictures by their titles, which are empty where there is but one.

        Example:
            >>> import numpy as np
            >>> from fop_core.figures.studies import Drawing, Times, TimeToTarget
            >>> drawing: Drawing = TimeToTarget([Times("fop", np.array([400.0, 500.0]))], "steps to 97 %")
            >>> {title: type(figure).__name__ for title, figure in drawing.screens().items()}
            {'': 'Figure'}
        """
        ...

    def paper(self) -> Figure:
        """Return it for print, 7 inches wide; ``print_style.save`` makes a file of it.

        Example:
            >>> import numpy as np
            >>> from fop_core.figures import print_style
            >>> from fop_core.figures.studies import Drawing, Times, TimeToTarget
            >>> drawing: Drawing = TimeToTarget([Times("fop", np.array([400.0, 500.0]))], "steps to 97 %")
            >>> print_style.save(drawing.paper(), "pdf")[:5]
            b'%PDF-'
        """
        ...


@dataclass(frozen=True)
class AxisScale:
    """A setting, and the values that a study gave to it.

    Attributes:
        label: what it is called.
        values: numbers, words, yes or no, in the order to be shown.

    Example:
        >>> from fop_core.figures.studies import AxisScale
        >>> rates = AxisScale("learning rate", (0.001, 0.01, 0.1))
        >>> rates.texts, rates.log
        (['0.001', '0.01', '0.1'], True)
    """

    label: str
    values: tuple[Any, ...]

    @property
    def texts(self) -> list[str]:
        """The values as they are written.

        Example:
            >>> from fop_core.figures.studies import AxisScale
            >>> AxisScale("Nesterov", (True, False, None)).texts
            ['yes', 'no', 'none']
        """
        return [written(value) for value in self.values]

    @property
    def log(self) -> bool:
        """Whether these are numbers that spread over more than one power of ten.

        Example:
            >>> from fop_core.figures.studies import AxisScale
            >>> AxisScale("rank", (1, 4, 16)).log, AxisScale("momentum", (0.5, 0.9)).log
            (True, False)
        """
        numbers = self.numbers
        return bool(numbers is not None and len(numbers) and numbers.min() > 0 and numbers.max() > 9 * numbers.min())

    @property
    def numbers(self) -> Array | None:
        """The values [k]; None where one of them is no finite number.

        Example:
            >>> from fop_core.figures.studies import AxisScale
            >>> AxisScale("rank", (1, 4, 16)).numbers, AxisScale("layout", ("auto", "full")).numbers
            (array([ 1.,  4., 16.]), None)
        """
        if any(isinstance(value, bool) or not isinstance(value, (int, float)) for value in self.values):
            return None
        numbers = np.asarray(self.values, dtype=np.float64)
        return numbers if np.isfinite(numbers).all() else None


class Seeds(NamedTuple):
    """What several seeds come to, each [...].

    Attributes:
        mean: of those that are finite; NaN where none is.
        std: likewise, the sample's (n − 1); NaN of fewer than two.
        n: how many are finite.
        lost: how many are infinite.

    Example:
        >>> import numpy as np
        >>> from fop_core.figures.studies.drawing import over_seeds
        >>> of = over_seeds(np.array([[0.5, 0.75], [0.5, np.inf]]))  # at two settings
        >>> of.mean, of.n, of.lost
        (array([0.625, 0.5  ]), array([2, 1]), array([0, 1]))
    """

    mean: Array
    std: Array
    n: Array
    lost: Array


def over_seeds(values: Array) -> Seeds:
    """Return what seeds come to.

    Args:
        values: [..., seeds]; NaN is not there, infinity diverged.

    Example:
        >>> import numpy as np
        >>> from fop_core.figures.studies.drawing import over_seeds
        >>> over_seeds(np.array([0.5, 0.75, 1.0, np.nan, np.inf]))
        Seeds(mean=array(0.75), std=array(0.25), n=np.int64(3), lost=np.int64(1))
    """
    values = np.asarray(values, dtype=np.float64)
    finite = np.isfinite(values)
    n = finite.sum(-1)
    total = np.where(finite, values, 0.0).sum(-1)
    mean = np.where(n > 0, total / np.maximum(n, 1), np.nan)
    squares = np.where(finite, (values - mean[..., None]) ** 2, 0.0).sum(-1)
    std = np.where(n > 1, np.sqrt(squares / np.maximum(n - 1, 1)), np.nan)
    return Seeds(mean, std, n, np.isinf(values).sum(-1))


def written(value: Any) -> str:
    """Return a setting's value as one writes it: 0.05, 1e-4, yes, none.

    Example:
        >>> from fop_core.figures.studies.drawing import written
        >>> written(0.05), written(1e-5), written(True), written(None), written([8, 12])
        ('0.05', '1e-5', 'yes', 'none', '8, 12')
    """
    match value:
        case None:
            return "none"
        case bool():
            return "yes" if value else "no"
        case int() | float():
            return style.plain(value)
        case list() | tuple():
            return ", ".join(map(written, value)) or "none"
    return str(value)


def shown(value: float, percent: bool, signed: bool = False) -> str:
    """Return a result as it is written: 97.31 for a fraction to be shown in percent, three digits of another number.

    Example:
        >>> from fop_core.figures.studies import shown
        >>> shown(0.97312, percent=True), shown(-0.004, percent=True, signed=True), shown(1234.5, percent=False)
        ('97.31', '−0.40', '1,235')
    """
    text = percents(value) if percent else style.number(value)
    return f"+{text}" if signed and value > 0 else text


def safe(text: str) -> str:
    """Return a text that plotly shows as it is: it reads some HTML, and %{...} when hovering.

    Example:
        >>> from fop_core.figures.studies.drawing import safe
        >>> safe("a < b, 97 %")
        'a &lt; b, 97 &#37;'
    """
    return text.replace("&", "&amp;").replace("<", "&lt;").replace("%", "&#37;")


def marker(method: Method) -> dict[str, Any]:
    """Return how matplotlib marks a point of a method.

    Example:
        >>> from fop_core.figures.studies.drawing import marker
        >>> from fop_core.figures.style import METHODS
        >>> marker(METHODS["fop"])["marker"]
        'o'
    """
    symbol, size = MARKERS.get(method.symbol, ("o", 4.8))
    return {"marker": symbol, "markersize": size, "markeredgecolor": PAPER, "markeredgewidth": 0.6}
