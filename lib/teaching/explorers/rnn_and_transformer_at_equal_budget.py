"""So many seconds, so long a lag: who leads at each of the three recorded tasks?"""

import numpy as np

from lib.teaching.palette import GREY, line
from lib.teaching.panel import Choice, Panel, Picture
from lib.trained.records.equal_budget import (
    BUDGETS,
    COPY_BUDGET,
    ENOUGH,
    EVERY,
    LAGS,
    MODELS,
    ONE,
    SYMBOLS,
    WRITE,
    of_every_seed,
    read,
)

SECONDS = 0.5, 1, 2, 3, 6, *sorted({COPY_BUDGET, *BUDGETS})
KINDS = "recurrent", "transformer"  # of MODELS, in this order


def explorer():
    """Seconds and lag: all runs up to then, and a sentence on who leads."""
    runs, picture = read(), Picture(6.4, 3.1, columns=3)
    lines, marks = draw(picture.axes, runs)
    picture.moving(*marks, *(curve for some in lines.values() for curve in some))

    def show(seconds, lag):
        for mark in marks:
            mark.set_xdata([seconds, seconds])
        marks[0].set_visible(seconds >= BUDGETS[0])  # before, nothing was run
        for task, model in lines:
            each_seed = of_every_seed(runs, task, model, lag, COPY_BUDGET)
            for curve, run in zip(lines[task, model], each_seed, strict=True):
                _, spent, accuracy = np.transpose(run)
                curve.set_data(spent, 100 * accuracy)
        return f"{seconds} s. {writing(runs, seconds)} Lag {lag}. " + " ".join(
            copying(runs, task, lag, seconds) for task in (ONE, EVERY)
        )

    return Panel(
        show,
        picture,
        seconds=Choice("seconds", SECONDS, 3),
        lag=Choice("lag", LAGS, 20),
    )


def draw(axes, runs):
    """What stands still; returns the curves that move with the lag, and a line on each axes."""
    for kind, model in zip(KINDS, MODELS[WRITE], strict=True):
        losses = [nats(runs, model, budget) for budget in BUDGETS]
        for budget, some in zip(BUDGETS, losses, strict=True):
            axes[0].plot([budget] * len(some), some, **line(kind, linestyle="", mfc="none"))
        means = [np.mean(some) for some in losses]
        axes[0].plot(BUDGETS, means, label=model, **line(kind, ms=4))
    axes[0].set(title=WRITE, ylabel="validation (nats)", ylim=(1.0, 2.3))
    lines = {}
    for ax, task in zip(axes[1:], (ONE, EVERY), strict=True):
        for kind, model in zip(KINDS, MODELS[task], strict=True):
            count = len(of_every_seed(runs, task, model, LAGS[0], COPY_BUDGET))
            style = line(kind, ms=3.5, lw=1)
            lines[task, model] = [ax.plot([], [], **style)[0] for _ in range(count)]
            lines[task, model][0].set_label(model)
        ax.axhline(100 / SYMBOLS, color=GREY, ls=":", lw=1, label=f"guessing, 1 in {SYMBOLS}")
        ax.set(title=task, ylabel="right (%)", ylim=(0, 105), yticks=range(0, 101, 25))
    for ax in axes:
        ax.set(xscale="log", xlabel="processor seconds", xlim=(0.12, 150))
        ax.xaxis.set_major_formatter("{x:g}")
    budgets = [ax.axvline(1, color=GREY, ls="-", lw=1, label="your budget") for ax in axes]
    key(axes)
    return lines, budgets


def key(axes):
    """One legend for all axes, which names each thing once."""
    named = dict.fromkeys(("LSTM", "GRU"))
    for ax in axes:
        artists, names = ax.get_legend_handles_labels()
        named |= zip(names, artists, strict=True)
    axes[0].figure.legend(named.values(), named, loc="outside lower center", ncols=5, fontsize=8)


def nats(runs, model, budget):
    """What each seed's run of this budget has come to on the documentation."""
    return [run[-1][2] for run in of_every_seed(runs, WRITE, model, 0, budget)]


def writing(runs, seconds):
    """Mean nats with the largest budget that fits into so many seconds."""
    fitting = [budget for budget in BUDGETS if budget <= seconds]
    if not fitting:
        return f"Documentation: the smallest budget was {BUDGETS[0]} s."
    means = {model: np.mean(nats(runs, model, fitting[-1])) for model in MODELS[WRITE]}
    said = ", ".join(f"{model} {value:.2f} nats" for model, value in means.items())
    return f"Documentation, budget {fitting[-1]} s: {said}: the {min(means, key=means.get)} leads."


def copying(runs, task, lag, seconds):
    """Mean share right at the last look, and who leads; or how long both took to be done."""
    accuracy, ends = {}, {}
    for model in MODELS[task]:
        each_seed = of_every_seed(runs, task, model, lag, COPY_BUDGET)
        accuracy[model] = np.mean([at(run, seconds) for run in each_seed])
        ends[model] = np.mean([run[-1][1] for run in each_seed])
    said = ", ".join(f"{model} {value:.0%} right" for model, value in accuracy.items())
    if min(accuracy.values()) >= ENOUGH:
        said = ", ".join(f"{model} done after {end:.1f} s" for model, end in ends.items())
        return f"{task.capitalize()}: {said}."
    first, second = sorted(accuracy, key=accuracy.get, reverse=True)
    led = f"the {first} leads" if accuracy[first] - accuracy[second] > 0.05 else "none leads"
    return f"{task.capitalize()}: {said}: {led}."


def at(run, seconds):
    """The share right at the last look within so many seconds; before the first, guessing."""
    within = [value for _, spent, value in run if spent <= seconds]
    return within[-1] if within else 1 / SYMBOLS
