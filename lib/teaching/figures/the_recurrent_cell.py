"""The cell as it is, and as it is drawn once for each step, with one array of each weight.

Shapes: I width of the input, D width of the state.
"""

from lib.teaching.diagram import SMALL, Diagram
from lib.teaching.palette import GREY
from lib.teaching.plots import heatmap, time_ticks

FIRST, APART, HEIGHT = 2.5, 1.3, 1.95  # where the first step's W_hh is, step to step, the state
CAPTION = 3.42
CELL = "$+\\,b_h$\ntanh"
NAMES = {"wx": "$W_{xh}$", "wh": "$W_{hh}$"}


def unrolled(ax, x, states, W_xh, W_hh, letters):
    """Some steps of a network: x (T, I) and states (T, D), one for each of the letters."""
    d = Diagram(ax, 6.3, 3.55)
    folded(d)
    d.place("h0", FIRST - 0.62, HEIGHT, "$h_0$")
    d.shape(FIRST - 0.62, HEIGHT - 0.2, states[0])
    for t, letter in enumerate(letters, 1):
        step(d, t, FIRST + (t - 1) * APART, letter)
    right = FIRST + (len(letters) - 0.5) * APART
    d.shape(right + 0.2, HEIGHT + 0.82, states[-1], ha="left")
    d.shape(right + 0.3, 0.62, x[-1], ha="left")
    places = [d.nodes[f"wh{t}"].x for t in range(1, len(letters) + 1)]
    one_array(d, places, HEIGHT + 0.18, 2.98, NAMES["wh"], W_hh)
    d.write(sum(places) / len(places) + 0.2, CAPTION, f"the same cell, {len(letters)} steps")
    one_array(d, [x + APART / 2 + 0.2 for x in places], 0.92, 0.22, NAMES["wx"], W_xh)
    d.tell("A recurrent network drawn once for each step: a bracket joins the boxes of one array.")
    return d


def folded(d):
    """The cell as it is: its state comes round to it again."""
    d.write(0.9, CAPTION, "one cell")
    d.place("x", 0.55, 0.62, "$x_t$")
    d.box("wx", 0.55, 1.1, NAMES["wx"], kind="table", width=0.56, height=0.36)
    d.box("cell", 0.55, HEIGHT, CELL, kind="state", width=0.6, height=0.44)
    d.place("h", 0.55, HEIGHT + 0.82, "$h_t$", width=0.3)
    d.box("wh", 1.28, HEIGHT, NAMES["wh"], kind="table", width=0.5, height=0.36)
    d.flow("x", "wx")
    d.flow("wx", "cell")
    d.flow("cell", "h")
    d.flow("h", "wh", (1.28, None))
    d.write(1.05, HEIGHT + 0.96, "one step later", size=SMALL)
    d.write(1.36, HEIGHT + 0.5, "$h_{t-1}$", ha="left")
    d.flow("wh", "cell")


def step(d, t, x, letter):
    """Step t: its W_hh at x, and to the right of it the sum, tanh and the new state."""
    middle = x + APART / 2
    d.place(f"x{t}", middle, 0.62, f"$x_{t}$")
    d.write(middle, 0.42, letter, weight="bold")
    d.box(f"wx{t}", middle, 1.1, NAMES["wx"], kind="table", width=0.56, height=0.36)
    d.box(f"wh{t}", x, HEIGHT, NAMES["wh"], kind="table", width=0.5, height=0.36)
    d.box(f"cell{t}", middle, HEIGHT, CELL, kind="state", width=0.6, height=0.44)
    d.place(f"h{t}", middle, HEIGHT + 0.82, f"$h_{t}$")
    d.flow(f"x{t}", f"wx{t}")
    d.flow(f"wx{t}", f"cell{t}")
    d.flow("h0" if t == 1 else f"cell{t - 1}", f"wh{t}")
    d.flow(f"wh{t}", f"cell{t}")
    d.flow(f"cell{t}", f"h{t}")


def one_array(d, places, near, far, name, array):
    """A bracket that joins boxes at these places: they are one array."""
    for x in places:
        d.line((x, near), (x, far), color=GREY, head=False)
    d.line((places[0], far), (places[-1], far), color=GREY, head=False)
    middle, up = (places[0] + places[-1]) / 2, 1 if far > near else -1
    text = f"one array {name}, used {len(places)} times"
    d.write(middle, far + 0.14 * up, text, size=SMALL + 0.5, ha="right")
    d.shape(middle + 0.1, far + 0.14 * up, array, ha="left")


def pulses(axes, traces):
    """The states after one pulse, {weight scale: (T, D)}, as maps side by side; gives an image."""
    for ax, (scale, states) in zip(axes, traces.items(), strict=True):
        image = heatmap(ax, states.T, signed=True)
        time_ticks(ax, len(states))
        ax.set_title(f"weight scale {scale}")
    axes[0].set_ylabel("unit of the state")
    return image
