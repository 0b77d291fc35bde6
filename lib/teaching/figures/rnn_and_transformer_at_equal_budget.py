"""Recurrent networks in brown circles against Transformers in teal squares."""

import matplotlib.pyplot as plt
import numpy as np

from lib.teaching.palette import GREY, line


def by_budget(found):
    """found {kind: (name, {budget: nats of each seed})}: the seeds hollow, a line through means."""
    _, ax = plt.subplots(figsize=(6.4, 2.7))
    for kind, (name, budgets) in found.items():
        means = [nats.mean() for nats in budgets.values()]
        ax.plot([*budgets], means, label=f"{name}, mean", **line(kind, ms=4))
        for i, (budget, nats) in enumerate(budgets.items()):
            label = None if i else f"{name}, each seed"
            ax.plot(0 * nats + budget, nats, label=label, **line(kind, linestyle="", mfc="none"))
    ax.set(xscale="log", xlabel="budget (processor seconds)", ylabel="validation (nats)")
    ax.set_xticks([*budgets], [*budgets])
    ax.minorticks_off()
    ax.legend()


def copying(found, lags, guessing):
    """found {task: {kind: (name, right (lags, seeds))}}: the seeds hollow, a line through means."""
    _, axes = plt.subplots(1, len(found), figsize=(6.4, 3.0), sharey=True)
    for ax, (task, kinds) in zip(axes, found.items(), strict=True):
        for kind, (name, right) in kinds.items():
            ax.plot(lags, 100 * np.mean(right, axis=1), label=f"{name}, mean", **line(kind, ms=4))
            style = line(kind, linestyle="", mfc="none", label=f"{name}, each seed")
            aside = 0.93 if kind == "recurrent" else 1.07  # equal shares stay apart
            x = aside * np.repeat(lags, right.shape[1])
            ax.plot(x, 100 * right.ravel(), **style)
        ax.axhline(100 * guessing, color=GREY, ls=":", lw=1)
        ax.set(xscale="log", xlabel="lag", ylim=(0, 105), title=task)
        ax.set_xticks(lags, lags)
        ax.minorticks_off()
    said = f"guessing, 1 in {1 / guessing:.0f}"
    axes[0].text(lags[0], 100 * guessing - 2, said, size=8, va="top", color=GREY)
    axes[0].set_ylabel("right (%)")
    axes[0].legend(loc=(0.02, 0.25), fontsize=8)


def clock(lengths, costs):
    """costs {kind: (name, milliseconds)}: what longer texts cost, on two logarithmic axes."""
    _, ax = plt.subplots(figsize=(6.4, 2.7))
    for kind, (name, milliseconds) in costs.items():
        ax.loglog(lengths, milliseconds, label=name, **line(kind))
    ax.set(
        xlabel="T (positions)",
        ylabel="ms, forward and backward",
        xticks=lengths,
        xticklabels=lengths,
    )
    ax.set_yticks((1, 10, 100), (1, 10, 100))
    ax.minorticks_off()
    ax.legend()
