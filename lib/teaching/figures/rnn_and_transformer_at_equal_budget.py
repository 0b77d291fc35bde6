"""Recurrent networks in brown circles against Transformers in teal squares."""

import matplotlib.pyplot as plt
import numpy as np

from lib.teaching.palette import GREY, line


def by_budget(found):
    """found {kind: (name, {budget: nats of each seed})}: the seeds hollow, a line through means."""
    _, ax = plt.subplots(figsize=(6.4, 2.7))
    for kind, (name, budgets) in found.items():
        for budget, nats in budgets.items():
            ax.plot(0 * nats + budget, nats, **line(kind, linestyle="", mfc="none"))
        means = [nats.mean() for nats in budgets.values()]
        ax.plot([*budgets], means, label=name, **line(kind, ms=4))
    ax.set(xscale="log", xlabel="budget (processor seconds)", ylabel="validation (nats)")
    ax.set_xticks([*budgets], [*budgets])
    ax.minorticks_off()
    ax.legend()


def copying(found, lags, guessing):
    """found {task: {kind: (name, right (lags, seeds))}}: the means, a panel for each task."""
    _, axes = plt.subplots(1, len(found), figsize=(6.4, 2.8), sharey=True)
    for ax, (task, kinds) in zip(axes, found.items(), strict=True):
        for kind, (name, right) in kinds.items():
            ax.plot(lags, 100 * np.mean(right, axis=1), label=name, **line(kind))
        ax.axhline(100 * guessing, color=GREY, ls=":", lw=1)
        ax.set(xscale="log", xlabel="lag", ylim=(0, 105), title=task)
        ax.set_xticks(lags, lags)
        ax.minorticks_off()
    axes[0].set_ylabel("right (%), mean of 3 seeds")
    axes[1].legend()


def clock(lengths, costs):
    """costs {kind: (name, milliseconds)}: what longer texts cost, on two logarithmic axes."""
    _, ax = plt.subplots(figsize=(6.4, 2.7))
    for kind, (name, milliseconds) in costs.items():
        ax.loglog(lengths, milliseconds, label=name, **line(kind))
    ax.set(xlabel="T", ylabel="milliseconds", xticks=lengths, xticklabels=lengths)
    ax.set_yticks((1, 10, 100), (1, 10, 100))
    ax.minorticks_off()
    ax.legend()
