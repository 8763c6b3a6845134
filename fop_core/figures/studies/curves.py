"""Figures of a study that are lines over one axis: curves with bands, sensitivity to a rate, performance profiles."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go
from matplotlib.figure import Figure

from fop_core.figures import paper_learned, print_style, training_curves
from fop_core.figures.paper_learned import BandedCurve
from fop_core.figures.studies.drawing import LOST, Array, Seeds, marker, over_seeds, safe, shown, written
from fop_core.figures.training_curves import Line, line_styles, method_style, named

TICKS = 9  # rates that are all written along their axis


@dataclass(frozen=True)
class Lines:
    """Curves over steps, epochs or seconds with their bands, as the paper's Figure 4b.

    Attributes:
        lines: the last is on top.
        across: title of the axis across.
        up: title of the axis up.
        percent: whether values are fractions.
        log_x, log_y: whether axes are logarithmic.

    Example:
        >>> import numpy as np
        >>> from fop_core.figures.studies import Lines
        >>> from fop_core.figures.training_curves import Line, line_styles
        >>> epochs = np.arange(1.0, 6.0)
        >>> styles = line_styles(["momentum", "fop"])
        >>> lines = [Line("SGD", styles[0], epochs, 1 / epochs), Line("FOP", styles[1], epochs, 0.8 / epochs)]
        >>> curves = Lines(lines, "epoch", "loss")
        >>> curves.alt
        'loss over epoch: SGD, FOP'
        >>> len(curves.screens()[""].data), curves.paper().axes[0].get_xlabel()
        (2, 'epoch')
    """

    lines: Sequence[Line]
    across: str
    up: str
    percent: bool = False
    log_x: bool = False
    log_y: bool = False

    @property
    def alt(self) -> str:
        """What they show, in words."""
        return f"{self.up} over {self.across}: {', '.join(line.label for line in self.lines)}"

    def screens(self) -> dict[str, go.Figure]:
        """Return them as one plotly figure."""
        figure = training_curves.figure(
            self.lines,
            self.across,
            self.up,
            key=self.alt,
            log_x=self.log_x,
            log_y=self.log_y,
            percent=self.percent,
        )
        return {"": figure}

    def paper(self) -> Figure:
        """Return them for print; what was drawn faintly behind a line is left out."""
        bands = [_band(line) for line in self.lines]
        return paper_learned.bands(bands, self.across, self.up, log=self.log_y, log_x=self.log_x, percent=self.percent)


@dataclass(frozen=True)
class MethodRates:
    """The results of a method at some rates.

    Attributes:
        method: key of ``training.config.METHODS``.
        x: the rates, ascending, [k].
        values: [k, seeds]; NaN is not there yet, infinity diverged.
        label: at the line's end; the method's name unless given.
        joined: whether points are joined by a line; not those that also differ in other settings.

    Example:
        >>> import numpy as np
        >>> from fop_core.figures.studies import MethodRates
        >>> accuracies = np.array([[0.92, 0.93], [0.96, np.nan], [np.inf, np.inf]])  # at the last rate both diverged
        >>> MethodRates("fop", np.array([0.01, 0.1, 1.0]), accuracies).values.shape  # three rates, two seeds
        (3, 2)
    """

    method: str
    x: Array
    values: Array
    label: str = ""
    joined: bool = True


@dataclass(frozen=True)
class Sensitivity:
    """What becomes of each method where its rate is not the best: mean ± std over seeds, all methods on one axis.

    Rates at which a seed diverged have a cross at the foot of the figure, and no point: the mean of the others would
    say too much.

    Attributes:
        curves: of the methods.
        across: the setting.
        up: the result.
        percent: whether results are fractions.
        log_x: whether rates spread over powers of ten.
        lost: what an infinite result is.

    Example:
        >>> import numpy as np
        >>> from fop_core.figures.studies import MethodRates, Sensitivity
        >>> rates = np.array([0.01, 0.1, 1.0])
        >>> momentum = MethodRates("momentum", rates, np.array([[0.90, 0.91], [0.95, 0.94], [np.inf, 0.10]]))
        >>> fop = MethodRates("fop", rates, np.array([[0.92, 0.93], [0.96, 0.95], [0.94, 0.93]]))
        >>> picture = Sensitivity([momentum, fop])
        >>> picture.alt
        'held-out accuracy over learning rate: Momentum, FOP'
        >>> [trace.text[-1] for trace in picture.screens()[""].data if trace.text][0]  # of momentum at 1
        '<b>Momentum</b><br>learning rate 1<br>✕ diverged: 1 of 2'
        >>> picture.paper().axes[0].get_ylabel()
        'held-out accuracy'
    """

    curves: Sequence[MethodRates]
    across: str = "learning rate"
    up: str = "held-out accuracy"
    percent: bool = True
    log_x: bool = True
    lost: str = "diverged"

    @property
    def alt(self) -> str:
        """What it shows, in words."""
        return f"{self.up} over {self.across}: {', '.join(each.label or named(each.method) for each in self.curves)}"

    def _drawn(self) -> list[tuple[MethodRates, Line, Seeds]]:
        drawn = []
        for each, line_style in zip(self.curves, line_styles([each.method for each in self.curves])):
            of = over_seeds(each.values)
            mean = np.where(of.lost == 0, of.mean, np.nan)
            x = np.asarray(each.x, dtype=np.float64)
            band = (x, mean - of.std, mean + of.std) if each.joined else None
            drawn.append((each, Line(each.label or named(each.method), line_style, x, mean, band=band), of))
        return sorted(drawn, key=lambda one: one[1].line_style.width)

    def screens(self) -> dict[str, go.Figure]:
        """Return it as one plotly figure."""
        drawn = self._drawn()
        lines = [line for _, line, _ in drawn]
        figure = training_curves.figure(
            lines, self.across, self.up, log_x=self.log_x, percent=self.percent, key=self.alt
        )
        lost = 0
        joined = {line.label for each, line, _ in drawn if each.joined}
        for trace in figure.data:
            if trace.mode == "lines+markers" and not any(
                f"<b>{safe(one)}</b>" in trace.hovertemplate for one in joined
            ):
                trace.mode = "markers"
        for each, line, of in drawn:
            method = method_style(each.method)
            figure.add_trace(
                go.Scatter(
                    x=line.x,
                    y=line.y,
                    mode="markers",
                    marker={"symbol": method.symbol, "size": 9, "color": method.color},
                    text=[self._said(line, of, index) for index in range(len(line.x))],
                    hovertemplate="%{text}<extra></extra>",
                )
            )
            at = np.flatnonzero(of.lost)
            if len(at):
                figure.add_trace(
                    go.Scatter(
                        x=line.x[at],
                        y=np.full(len(at), 0.03 + 0.06 * lost),
                        yaxis="y2",
                        mode="markers",
                        cliponaxis=False,
                        marker={"symbol": "x-thin", "size": 11, "line": {"width": 2.5, "color": method.color}},
                        text=[self._said(line, of, int(index)) for index in at],
                        hovertemplate="%{text}<extra></extra>",
                    )
                )
                lost += 1
        hidden = {"overlaying": "y", "range": [0, 1], "visible": False, "fixedrange": True}
        figure.update_layout(yaxis2=hidden)
        if len(rates := self._rates()) <= TICKS:
            figure.update_xaxes(tickvals=rates, ticktext=[written(float(rate)) for rate in rates])
        return {"": figure}

    def _rates(self) -> Array:
        """Return all rates, ascending."""
        return np.unique(np.concatenate([np.empty(0), *(np.asarray(each.x, np.float64) for each in self.curves)]))

    def _said(self, line: Line, of: Seeds, index: int) -> str:
        n, lost = int(of.n[index]), int(of.lost[index])
        words = [f"<b>{safe(line.label)}</b>", f"{safe(self.across)} {line.x[index]:g}"]
        if lost:
            words.append(f"{LOST} {self.lost}: {lost} of {n + lost}")
        elif n:
            std = f" ± {shown(of.std[index], self.percent)}" if n > 1 else ""
            words.append(safe(f"{self.up} {shown(of.mean[index], self.percent)}{std}, n = {n}"))
        return "<br>".join(words)

    def paper(self) -> Figure:
        """Return it for print."""
        drawn = self._drawn()
        bands = [_band(line) for _, line, _ in drawn]
        figure = paper_learned.bands(bands, self.across, self.up, log_x=self.log_x, percent=self.percent)
        [axes] = figure.axes
        with print_style.applied():
            if len(rates := self._rates()) <= TICKS:
                axes.set_xticks(rates, [written(float(rate)) for rate in rates])
            for line_drawn, (each, _, _) in zip(axes.lines, drawn):
                if not each.joined:
                    line_drawn.set_linestyle("none")
            lost = 0
            for each, line, of in drawn:
                axes.plot(
                    line.x, line.y, linestyle="none", color=line.line_style.color, **marker(method_style(each.method))
                )
                if len(at := np.flatnonzero(of.lost)):
                    foot = np.full(len(at), 0.03 + 0.06 * lost)
                    cross: dict[str, Any] = {"marker": "x", "markersize": 4.5, "markeredgewidth": 1.2, "clip_on": False}
                    color, across = line.line_style.color, axes.get_xaxis_transform()
                    axes.plot(line.x[at], foot, linestyle="none", color=color, transform=across, **cross)
                    lost += 1
        return figure


@dataclass(frozen=True)
class Profile:
    """How often a method is within a factor of the fastest one.

    Attributes:
        method: key of ``training.config.METHODS``.
        tau: factors, ascending from 1, [k].
        share: of problems solved within this factor, [k].
        n: how many problems there are.
        label: at the line's end; the method's name unless given.

    Example:
        >>> import numpy as np
        >>> from fop_core.figures.studies import Profile
        >>> Profile("fop", tau=np.array([1.0, 1.5]), share=np.array([0.6, 1.0]), n=5).share[-1]
        np.float64(1.0)
    """

    method: str
    tau: Array
    share: Array
    n: int
    label: str = ""


@dataclass(frozen=True)
class PerformanceProfile:
    """The share of problems that each method solves within a factor τ of the fastest (Dolan and Moré 2002; AlgoPerf).

    Attributes:
        profiles: of the methods, over the same problems.
        across: title of the axis across.
        up: title of the axis up.

    Example:
        >>> import numpy as np
        >>> from fop_core.figures.studies import PerformanceProfile, Profile
        >>> fop = Profile("fop", np.array([1.0, 1.5]), np.array([0.6, 1.0]), n=5)
        >>> sgd = Profile("momentum", np.array([1.0, 2.0]), np.array([0.4, 0.8]), n=5)
        >>> picture = PerformanceProfile([sgd, fop])
        >>> picture.alt
        'share of problems solved within the factor τ of the fastest: Momentum, n = 5, FOP, n = 5'
        >>> len(picture.screens()[""].data), picture.paper().axes[0].get_xlabel()
        (2, 'factor τ of the fastest')
    """

    profiles: Sequence[Profile]
    across: str = "factor τ of the fastest"
    up: str = "share of problems solved"

    @property
    def alt(self) -> str:
        """What it shows, in words."""
        return f"{self.up} within the {self.across}: {', '.join(map(_profile_label, self.profiles))}"

    @property
    def _edge(self) -> float:
        return 1.05 * max([1.5, *(float(each.tau[-1]) for each in self.profiles if len(each.tau))])

    @property
    def log(self) -> bool:
        """Whether factors spread so far that their axis is logarithmic.

        Example:
            >>> import numpy as np
            >>> from fop_core.figures.studies import PerformanceProfile, Profile
            >>> near, far = (Profile("fop", np.array([1.0, tau]), np.array([0.5, 1.0]), n=2) for tau in (2.0, 20.0))
            >>> PerformanceProfile([near]).log, PerformanceProfile([near, far]).log
            (False, True)
        """
        return self._edge > 5

    def _lines(self) -> list[Line]:
        """Return stairs: a share holds until the next factor, and the last one to the figure's edge."""
        edge = self._edge
        made = []
        for each, line_style in zip(self.profiles, line_styles([each.method for each in self.profiles])):
            tau = np.concatenate([[1.0], np.asarray(each.tau, dtype=np.float64), [edge]])
            share = np.concatenate([[0.0], np.asarray(each.share, dtype=np.float64)])
            share = np.append(share, share[-1])
            x, y = np.repeat(tau, 2)[1:], np.repeat(share, 2)[:-1]
            made.append(Line(_profile_label(each), line_style, x, y))
        return sorted(made, key=lambda line: line.line_style.width)

    def screens(self) -> dict[str, go.Figure]:
        """Return it as one plotly figure."""
        figure = training_curves.figure(self._lines(), self.across, self.up, log_x=self.log, percent=True, key=self.alt)
        figure.update_traces(mode="lines", selector={"mode": "lines+markers"})
        return {"": figure}

    def paper(self) -> Figure:
        """Return it for print."""
        bands = [_band(line) for line in self._lines()]
        return paper_learned.bands(bands, self.across, self.up, log_x=self.log, percent=True, limits=(-0.02, 1.03))


def _profile_label(profile: Profile) -> str:
    return f"{profile.label or named(profile.method)}, n = {profile.n}"


def _band(line: Line) -> BandedCurve:
    """Return a line for print, its band where it has one."""
    low = high = None
    if line.band is not None and len(line.band[0]):
        low, high = (np.interp(line.x, line.band[0], edge, left=np.nan, right=np.nan) for edge in line.band[1:])
    style = line.line_style
    return BandedCurve(line.label, line.x, line.y, low, high, style.color, style.dash, style.width)
