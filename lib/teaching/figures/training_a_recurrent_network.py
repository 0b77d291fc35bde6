"""Learning rates against losses, and a loss that falls on the words it learns from alone."""

import numpy as np

from lib.teaching.palette import DASHES, GREY, INK, MARKERS, SERIES, ordered

MEAN = 50  # steps that one point of a curve is the mean of


def losses_of_rates(axes, tried, guessing):
    """Beside each other the optimizers, {name: {rate: loss of each step}}; a level for guessing."""
    for ax, (name, rates) in zip(axes, tried.items(), strict=True):
        for i, (rate, losses) in enumerate(rates.items()):
            smooth = np.convolve(losses, np.ones(MEAN) / MEAN, mode="valid")
            drawn = dict(color=ordered(len(rates))[i], ls=(":", "--", "-")[i])
            ax.plot(np.arange(MEAN, len(losses) + 1), smooth, label=f"rate {rate}", **drawn)
        ax.axhline(guessing, color=GREY, lw=1, ls="-")
        ax.text(MEAN, guessing + 0.2, "guessing", color=GREY)
        ax.set(title=name, xlabel="step", ylim=(-0.05, 2.8))
        ax.legend(loc="upper right")
    axes[0].set_ylabel(f"nats (mean of {MEAN} steps)")


def valleys(ax, curves, nothing):
    """Validation loss over learning rate, {(optimizer, clipped): rows}; hollow: not clipped."""
    names = [*dict.fromkeys(name for name, _ in curves)]
    for (name, clipped), rows in curves.items():
        i = names.index(name)
        drawn = dict(color=SERIES[i], marker=MARKERS[i], ms=5)
        if not clipped:  # a ring around the other, where both are in one place
            drawn |= dict(ms=8, mfc="none", zorder=4)
        label = f"{name}, clipped at 1" if clipped else f"{name}, not clipped"
        dash = ("-", "--", "-.")[i] if clipped else ":"
        ax.plot(rows["learning_rate"], rows["validation"], ls=dash, label=label, **drawn)
    ax.axhline(nothing, color=GREY, lw=1, ls="-")
    ax.text(1e-4, nothing * 1.06, "knows nothing: ln 14", color=GREY)
    ax.set(xscale="log", yscale="log", xlabel="learning rate", ylabel="validation loss (nats)")
    ax.set(yticks=[1, 2, 4, 8], yticklabels=[1, 2, 4, 8], title="After 400 steps")
    ax.minorticks_off()
    ax.tick_params(axis="x", labelsize=10.5)  # the exponents are smaller
    ax.legend()


def overfitting(axes, run):
    """Training and validation loss on the left, the share of validation words on the right."""
    validation = dict(color=SERIES[1], ls=DASHES[1])
    axes[0].plot(run["step"], run["train_loss"], color=INK, ls="-", label="training words")
    axes[0].plot(run["step"], run["validation_loss"], label="validation words", **validation)
    axes[1].plot(run["step"], 100 * run["validation_accuracy"], **validation)
    axes[0].set(xlabel="step", ylabel="nats", ylim=0, title="loss")
    axes[1].set(xlabel="step", ylabel="%", ylim=(50, 80), title="validation words right")
    axes[0].legend()
