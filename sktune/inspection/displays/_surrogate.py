"""What the surrogate makes of the scores, around the best candidate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from numpy.typing import ArrayLike

from sktune._text import cut, short_names
from sktune.inspection._surrogate_maps import surrogate_maps
from sktune.inspection.displays._axes import NAME, legend_above, panels
from sktune.inspection.displays._surrogate_panels import Panels, turn_long_words

_PANEL = 2.3  # inches


class SurrogateDisplay:
    """Slices and maps of the surrogate through the best candidate.

    On the diagonal one parameter changes and all others are those of the best
    candidate: the mean of a Gaussian process, a standard deviation around it, and all
    candidates that were tried, whatever else they have. Below the diagonal are maps of
    the mean where two parameters change, above it those of the standard deviation. A
    cross is a candidate that failed, a star the best one.

    It is made by `from_search`; all parameters are attributes. Needs matplotlib:
    ``pip install "sktune[plot]"``.

    Parameters
    ----------
    grids : dict of str -> sequence
        Of each parameter the values at which the surrogate was asked.
    scales : dict of str -> {"log", "linear", "category"}
        Of each parameter.
    slices : dict of str -> (mean, low, high)
        Of each parameter three arrays, one entry for each value in its grid.
    maps : dict of (str, str) -> (mean, std)
        Of pairs, arrays of shape (n values of the first, n values of the second).
    tried : sequence of dict
        Params of all candidates.
    scores : array-like of shape (n_candidates,)
        NaN where a candidate was not trained as far as the best.
    failed : array-like of shape (n_candidates,), bool
    best : int
        Row of the best candidate.
    metric : str, default="score"

    Attributes
    ----------
    axes_ : ndarray of shape (n_params, n_params)
    ax_ : matplotlib.axes.Axes
        The first of these.
    figure_ : matplotlib.figure.Figure

    Examples
    --------
    >>> from scipy.stats import loguniform
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.svm import SVC
    >>> from sktune import RandomizedSearchCV
    >>> from sktune.inspection import SurrogateDisplay
    >>> space = {"C": loguniform(1e-2, 1e2), "gamma": loguniform(1e-3, 1e1)}
    >>> search = RandomizedSearchCV(SVC(), space, random_state=0)
    >>> search = search.fit(*load_iris(return_X_y=True))
    >>> display = SurrogateDisplay.from_search(search)
    >>> display.axes_.shape
    (2, 2)
    """

    def __init__(
        self,
        *,
        grids: Mapping[str, Sequence[Any]],
        scales: Mapping[str, str],
        slices: Mapping[str, tuple[ArrayLike, ArrayLike, ArrayLike]],
        maps: Mapping[tuple[str, str], tuple[ArrayLike, ArrayLike]],
        tried: Sequence[Mapping[str, Any]],
        scores: ArrayLike,
        failed: ArrayLike,
        best: int,
        metric: str = "score",
    ) -> None:
        self.grids = grids
        self.scales = scales
        self.slices = slices
        self.maps = maps
        self.tried = tried
        self.scores = scores
        self.failed = failed
        self.best = best
        self.metric = metric

    @classmethod
    def from_search(
        cls,
        search: Any,
        *,
        ax: Any = None,
        metric: str | None = None,
        params: Sequence[str] | None = None,
    ) -> SurrogateDisplay:
        """Draw a fitted search, or the journal of one that may still run.

        Whatever the search was led by, the surrogate is a Gaussian process as that of
        `BayesSearchCV`, fitted to all that was observed. In a search with rungs it
        learns from all of them and is shown at the largest resource.

        Parameters
        ----------
        search : fitted search, or path of a journal
        ax : matplotlib.axes.Axes, default=None
            Axes of `matplotlib.pyplot.subplots`, in whose place the panels are drawn;
            by default in a new figure.
        metric : str, default=None
            The metric to draw, where `scoring` has several; by default the one that
            `refit` names.
        params : sequence of str, default=None
            Parameters to show, in this order; by default the four that matter most
            (`param_importances`), of those that the best candidate has.

        Returns
        -------
        display : SurrogateDisplay

        Raises
        ------
        ValueError
            For a parameter that the best candidate does not have, and where fewer than
            two candidates have a score.
        """
        return cls(**surrogate_maps(search, metric, params)).plot(ax)

    def plot(self, ax: Any = None) -> SurrogateDisplay:
        """Draw it, in a new figure or in the place of `ax`.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, default=None

        Returns
        -------
        display : SurrogateDisplay
        """
        panel, names = Panels(self), list(self.grids)
        n = len(names)
        size = (max(6.4, _PANEL * n + 1.4), max(4.2, _PANEL * n * 0.85 + 0.8))
        above, self.axes_ = panels("SurrogateDisplay", ax, size, n, n)
        self.ax_, self.figure_ = self.axes_[0, 0], self.axes_[0, 0].figure
        # What stands for a name must be told from those that are not shown, too.
        every = list(dict.fromkeys(k for params in self.tried for k in params))
        short = dict(zip(every, short_names(every), strict=True))
        ranges = [panel.colors(which) for which in (0, 1)]
        images: dict[str, Any] = {}
        handles: dict[str, Any] = {}
        for i, vertical in enumerate(names):
            for j, across in enumerate(names):
                axes = self.axes_[i, j]
                if i == j:
                    handles |= panel.draw_slice(axes, across)
                else:
                    label, which = ("mean", 0) if i > j else ("std", 1)
                    images[label] = panel.draw_map(
                        axes, vertical, across, which, ranges[which]
                    )
                    panel.lay_out(axes.yaxis, vertical, axes.set_yscale, axes.set_ylim)
                panel.lay_out(axes.xaxis, across, axes.set_xscale, axes.set_xlim)
                axes.tick_params(labelsize="x-small")
                if i == n - 1:
                    axes.set_xlabel(cut(short[across], NAME))
                    if panel.is_words(across):
                        turn_long_words(axes)
                else:
                    axes.tick_params(labelbottom=False)
                if j == 0 and i > 0:
                    axes.set_ylabel(cut(short[vertical], NAME))
                elif i == j:
                    axes.set_ylabel(self.metric, fontsize="small")
                else:
                    axes.tick_params(labelleft=False)
        for label, image in images.items():
            self.figure_.colorbar(
                image,
                ax=self.axes_.ravel().tolist(),
                label=f"{label} of {self.metric}",
                shrink=0.8,
                pad=0.01,
            )
        legend_above(above, handles, ncols=3)
        return self
