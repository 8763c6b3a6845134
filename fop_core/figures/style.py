"""The one visual language: how a method looks, what light and dark are, how a number is written.

Seven families for 21 rules, each with its colour: gradient descent, momentum, means of squares, Adam, curvature,
hypergradient descent, FOP. What is often raced against its own family has a shade of its own: Nesterov beside Momentum,
PP-HD beside S-HD, each variant of FOP. All else differs from its family in dash and symbol alone, and every rule does
that too. Every colour has a contrast of at least 3.5 on white and on #0E1117. The seven stay apart under protanopia,
deuteranopia and tritanopia, and the twelve by more than twice what is just noticeable; ``tests/figures/test_style.py``
holds them to it. An eighth colour as far from each of the seven was looked for, and is not there.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from types import MappingProxyType
from typing import Any

import plotly.graph_objects as go

from fop_core.formatting import number as number  # a part of the visual language, and of what it offers
from fop_core.formatting import plain as plain
from fop_core.formatting import point as point


@dataclass(frozen=True)
class Method:
    """How a rule looks, in every picture.

    Attributes:
        name: what it is called.
        color: of its line, its symbol and its label, in light and in dark.
        dash: lengths of dash and gap in px, as SVG and plotly take them; "solid" for none.
        symbol: plotly's name of the symbol that marks its steps.
        width: of its line, in px.

    Example:
        >>> from fop_core.figures.style import METHODS
        >>> METHODS["fop"]
        Method(name='FOP', color='#D9541E', dash='solid', symbol='circle', width=3.0)
    """

    name: str
    color: str
    dash: str
    symbol: str
    width: float = 2.0


METHODS: Mapping[str, Method] = MappingProxyType(
    {
        "sgd": Method("SGD", "#707E85", "7px,3px", "square"),
        "polyak": Method("Polyak's step", "#707E85", "9px,3px,3px,3px", "diamond-wide"),
        "momentum": Method("Momentum", "#3885E0", "solid", "triangle-up"),
        "nesterov": Method("Nesterov", "#3C7284", "7px,3px,2px,3px", "triangle-down"),
        "rmsprop": Method("RMSProp", "#2A8C4D", "2px,3px", "diamond"),
        "adam": Method("Adam", "#CB62AF", "12px,3px", "cross"),
        "adamw": Method("AdamW", "#CB62AF", "12px,3px,2px,3px", "x"),
        "lion": Method("Lion", "#CB62AF", "2px,2px,8px,2px", "star-square"),
        "prodigy": Method("Prodigy", "#CB62AF", "4px,6px", "star-diamond"),
        "own-rule": Method("Own rule", "#2A8C4D", "6px,2px,2px,2px", "octagon"),
        "newton": Method("Newton", "#9050A8", "3px,3px", "triangle-left"),
        "bfgs": Method("BFGS", "#9050A8", "10px,3px,3px,3px", "triangle-right"),
        "psgd-newton": Method("PSGD-Newton", "#9050A8", "15px,4px", "hexagram"),
        "s-hd": Method("S-HD", "#704DEE", "5px,2px", "pentagon"),
        "pp-hd": Method("PP-HD", "#D800C6", "5px,2px,1px,2px", "star"),
        "osgm-h": Method("OSGM-H", "#704DEE", "8px,2px", "star-triangle-up"),
        "osgm-best": Method("OSGM-Best", "#704DEE", "8px,2px,1px,2px", "star-triangle-down"),
        "fop-one-step": Method("FOP one-step", "#A8542A", "9px,4px", "bowtie", 2.5),
        "fop-exponential": Method("FOP exp(M)", "#DE000C", "14px,3px,3px,3px", "diamond-tall", 2.5),
        "fop-osgm": Method("FOP OSGM", "#CC6066", "4px,3px", "hourglass", 2.5),
        "fop": Method("FOP", "#D9541E", "solid", "circle", 3.0),
    }
)
"""By the name that ``fop_core.optim.rules.RULES`` has for the rule; "own-rule" is one that a reader spells. Later ones
are drawn on top of earlier ones."""

GLYPHS: Mapping[str, str] = MappingProxyType(
    {
        "square": "M-3.4-3.4H3.4V3.4H-3.4Z",
        "triangle-up": "M0-4.6L4.2 2.9H-4.2Z",
        "triangle-down": "M0 4.6L4.2-2.9H-4.2Z",
        "diamond": "M0-4.8L4.8 0 0 4.8-4.8 0Z",
        "cross": "M-1.5-4.5H1.5V-1.5H4.5V1.5H1.5V4.5H-1.5V1.5H-4.5V-1.5H-1.5Z",
        "x": "M0-2.1L2.5-4.6 4.6-2.5 2.1 0 4.6 2.5 2.5 4.6 0 2.1-2.5 4.6-4.6 2.5-2.1 0-4.6-2.5-2.5-4.6Z",
        "pentagon": "M0-4.4L4.2-1.4 2.6 3.6H-2.6L-4.2-1.4Z",
        "star": "M0-5L1.4-1.6 5-1.6 2.2.7 3.2 4.2 0 2.1-3.2 4.2-2.2.7-5-1.6-1.4-1.6Z",
        "bowtie": "M-4.6-3.4L4.6 3.4V-3.4L-4.6 3.4Z",
        "triangle-left": "M-4.6 0L2.9-4.2V4.2Z",
        "triangle-right": "M4.6 0L-2.9-4.2V4.2Z",
        "diamond-tall": "M0-5.4L3.2 0 0 5.4-3.2 0Z",
        "diamond-wide": "M0-3.2L5.4 0 0 3.2-5.4 0Z",
        "hexagram": "M0-5L1.4-2.5H4.3L2.9 0 4.3 2.5H1.4L0 5-1.4 2.5H-4.3L-2.9 0-4.3-2.5H-1.4Z",
        "star-square": "M3.7-3.7L2.3 0 3.7 3.7 0 2.3-3.7 3.7-2.3 0-3.7-3.7 0-2.3Z",
        "star-diamond": "M0-5.2L1.6-1.6 5.2 0 1.6 1.6 0 5.2-1.6 1.6-5.2 0-1.6-1.6Z",
        "star-triangle-up": "M0-5.6L1.6-.9 4.8 2.8 0 1.8-4.8 2.8-1.6-.9Z",
        "star-triangle-down": "M0 5.6L-1.6.9-4.8-2.8 0-1.8 4.8-2.8 1.6.9Z",
        "hourglass": "M-3.4-4.6L3.4 4.6H-3.4L3.4-4.6Z",
        "octagon": "M-1.8-4.3H1.8L4.3-1.8V1.8L1.8 4.3H-1.8L-4.3 1.8V-1.8Z",
        "circle": "M-3.8 0A3.8 3.8 0 1 0 3.8 0 3.8 3.8 0 1 0-3.8 0Z",
    }
)
"""The symbols as SVG paths around (0, 0), for swatches beside a text."""

MINIMA = ("#3B66DB", "#DDAA1F", "#C0434C", "#35BFD9", "#44A386", "#8663A0", "#C87A30", "#9884F3")
"""Areas of a map, each of one minimum. They stay apart for every kind of vision, the first four most of all."""

PINS = ("#3B66DB", "#C0434C", "#8663A0", "#44A386", "#C87A30", "#9884F3", "#35BFD9", "#DDAA1F")
"""Colours that a reader gives to runs: those of ``MINIMA``, the ones that show best on light and on dark first."""


@dataclass(frozen=True)
class Theme:
    """Light or dark.

    Attributes:
        paper: the page's background.
        ink: text, and what marks the surface itself.
        muted: text of second rank.
        grid: grid lines.
        low: a surface where it is lowest.
        high: a surface where it is highest.
        level: its level lines.

    Example:
        >>> from fop_core.figures.style import DARK, LIGHT
        >>> LIGHT.paper, DARK.paper
        ('#FFFFFF', '#0E1117')
    """

    paper: str
    ink: str
    muted: str
    grid: str
    low: str
    high: str
    level: str


LIGHT = Theme("#FFFFFF", "#31333F", "#636B78", "#E9ECF0", "#FFFFFF", "#D3DDE9", "rgba(82,104,134,0.34)")
DARK = Theme("#0E1117", "#FAFAFA", "#9BA3AF", "#232936", "#0E1117", "#263349", "rgba(148,172,206,0.26)")
THEMES: Mapping[str, Theme] = MappingProxyType({"light": LIGHT, "dark": DARK})


def rgba(color: str) -> tuple[float, float, float, float]:
    """Return "rgba(red,green,blue,opacity)" as matplotlib takes it.

    Example:
        >>> from fop_core.figures.style import rgba
        >>> rgba("rgba(51,102,255,0.5)")
        (0.2, 0.4, 1.0, 0.5)
    """
    red, green, blue, opacity = (float(part) for part in color.removeprefix("rgba(").removesuffix(")").split(","))
    return red / 255, green / 255, blue / 255, opacity


def _veil(color: str, opacity: float) -> str:
    red, green, blue = (int(color[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},{opacity})"


def template(theme: Theme) -> dict[str, Any]:
    """Return plotly's template of a theme; the font's family is the page's own.

    Example:
        >>> from fop_core.figures.style import DARK, template
        >>> template(DARK)["layout"]["font"]["color"]
        '#FAFAFA'
    """
    axis = {
        "gridcolor": theme.grid,
        "linecolor": theme.grid,
        "zeroline": False,
        "tickfont": {"color": theme.muted, "size": 12},
        "title": {"font": {"color": theme.muted, "size": 13}, "standoff": 8},
        "automargin": True,
    }
    return {
        "layout": {
            "font": {"color": theme.ink, "size": 12},
            "paper_bgcolor": "rgba(0,0,0,0)",
            "plot_bgcolor": "rgba(0,0,0,0)",
            "xaxis": axis,
            "yaxis": axis,
            "hoverlabel": {
                "bgcolor": theme.paper,
                "bordercolor": theme.grid,
                "font": {"color": theme.ink, "size": 12},
                "align": "left",
            },
            "annotationdefaults": {"bgcolor": _veil(theme.paper, 0.82), "font": {"size": 12}, "borderpad": 1},
            "modebar": {"bgcolor": _veil(theme.paper, 0.7), "color": theme.muted, "activecolor": theme.ink},
            "margin": {"l": 8, "r": 8, "t": 8, "b": 8},
        },
        "data": {
            "contour": [
                {"colorscale": [[0, theme.low], [1, theme.high]], "line": {"color": theme.level, "width": 0.8}},
            ],
        },
    }


TEMPLATE = go.layout.Template(template(LIGHT))
"""Of light: what a figure has until a browser knows better."""


def roles(theme: Theme) -> dict[str, dict[str, Any]]:
    """Return what a trace takes from the theme, by the role that its ``meta`` names.

    Example:
        >>> from fop_core.figures.style import LIGHT, roles
        >>> roles(LIGHT)["step"]
        {'marker': {'line': {'color': '#FFFFFF'}}}
    """
    return {
        "minimum": {"marker": {"color": theme.ink, "line": {"color": theme.ink}}},
        "step": {"marker": {"line": {"color": theme.paper}}},
    }


def themes() -> dict[str, dict[str, Any]]:
    """Return template, roles and colours of both themes: all a browser needs to switch by itself.

    Example:
        >>> from fop_core.figures.style import themes
        >>> {name: theme["colors"]["ink"] for name, theme in themes().items()}
        {'light': '#31333F', 'dark': '#FAFAFA'}
    """
    return {
        name: {"template": template(theme), "roles": roles(theme), "colors": asdict(theme)}
        for name, theme in THEMES.items()
    }
