"""Hands for maps in the page: a walk by keys over them, what is said on the way, how fast.

What is said is compared with what lib says in Python, cell by cell.
"""

import statistics

# Keys, and where each leads from map h, row t, column s.
MOVES = {
    "ArrowDown": lambda h, t, s: (h, t + 1, s),
    "ArrowUp": lambda h, t, s: (h, t - 1, s),
    "ArrowRight": lambda h, t, s: (h, t, s + 1),
    "ArrowLeft": lambda h, t, s: (h, t, s - 1),
    "PageDown": lambda h, t, s: (h + 1, t, s),
    "PageUp": lambda h, t, s: (h - 1, t, s),
    "Home": lambda h, t, s: (h, t, 0),
    "End": lambda h, t, s: (h, t, 10**6),
}
# Over every edge at least once.
WALK = [
    *("Home", "ArrowLeft", "ArrowUp", "ArrowRight", "ArrowRight", "ArrowDown", "PageDown", "End"),
    *("ArrowRight", "ArrowDown", "ArrowDown", "PageDown", "ArrowLeft", "PageUp", "Home", "ArrowUp"),
    *("PageUp", "PageUp", "End", "ArrowLeft", "ArrowDown"),
]
# From each key to the frame that shows what it lights up, in ms.
CLOCK = """live => {
    let pressed = 0;
    window.focusTimes = [];
    live.addEventListener('keydown', event => { pressed = event.timeStamp; }, true);
    live.addEventListener('course-painted', event => {
        if (event.detail.what === 'focus') requestAnimationFrame(
            () => window.focusTimes.push(performance.now() - pressed));
    });
}"""
# Milliseconds from frame to frame while a key is held down, to and fro.
GAPS = """stage => new Promise(done => {
    const gaps = [];
    let last = null;
    const step = now => {
        if (last !== null) gaps.push(now - last);
        last = now;
        if (gaps.length === 90) return done(gaps);
        const key = gaps.length % 6 < 3 ? 'ArrowRight' : 'ArrowLeft';
        stage.dispatchEvent(new KeyboardEvent('keydown', {key, bubbles: true}));
        requestAnimationFrame(step);
    };
    requestAnimationFrame(step);
})"""


def walk(lesson, panel, view, start):
    """Walk over maps that stand as this View has them, from start; the median of ms to the light.

    Each cell on the way is said as the View says it; a pin holds the row and is let go.
    """
    live = panel.locator(".course-maps")
    stage, said = live.locator("[role=application]"), live.locator("[role=status]")
    live.evaluate(CLOCK)
    stage.focus()
    place = view.within(start)
    assert said.inner_text() == view.say(place), "before the walk"
    for key in WALK:
        stage.press(key)
        place = view.within(MOVES[key](*place))
        assert said.inner_text() == view.say(place), f"{key} to {place}"
    pinned = live.locator("svg.pinned")
    for key, count in (("Enter", 1), ("Escape", 0), ("Enter", 1), ("Enter", 0)):
        stage.press(key)
        assert pinned.count() == count, key
    lesson.page.evaluate("() => new Promise(requestAnimationFrame)")
    times = lesson.page.evaluate("window.focusTimes")
    assert len(times) >= len(WALK) // 2
    return statistics.median(times)


def frame_gap(panel):
    """Median ms from frame to frame while the reader walks."""
    gaps = panel.locator(".course-maps [role=application]").evaluate(GAPS)
    return statistics.median(gaps)
