"""A real JupyterLab in a real Chromium: the hands and eyes of test_browser.py."""

import contextlib
import json
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import matplotlib
from layout import FAULTS
from playwright.sync_api import TimeoutError, sync_playwright

from lib.trained.pretrained import where

ROOT = Path(__file__).parents[1]
NAMES = ("chromium", "chromium-browser", "google-chrome")
CHROMIUM = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
FLAGS = ["--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync"]
SETTINGS = {
    # every cell in the page, also those out of sight
    "notebook-extension/tracker": {"windowingMode": "none"},
    "apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
}

# The command already returns where a cell raises, even one that is meant to: hence the wait,
# until each cell has its number or the kernel has had nothing to do for two seconds.
RUN_ALL = """async () => {
    const panel = jupyterapp.shell.currentWidget;
    await panel.context.ready;
    await panel.sessionContext.ready;
    await panel.sessionContext.session?.kernel?.info;
    const start = performance.now();
    await jupyterapp.commands.execute('notebook:run-all-cells');
    const cells = panel.content.widgets.filter(cell => cell.model.type === 'code');
    let busy = performance.now(), now = busy;
    while (now - busy < 2000) {
        const idle = panel.sessionContext.session.kernel.status === 'idle';
        if (idle && cells.every(cell => cell.model.executionCount)) break;
        await new Promise(resolve => setTimeout(resolve, 20));
        now = performance.now();
        if (!idle) busy = now;
    }
    return (now - start) / 1000;
}"""
CELLS = """() => jupyterapp.shell.currentWidget.content.widgets
    .filter(cell => cell.model.type === 'code')
    .map(cell => ({
        count: cell.model.executionCount,
        tags: cell.model.getMetadata('tags') ?? [],
        outputs: cell.model.outputs.toJSON(),
    }))"""
# From the key press to the frame that shows what is new, in ms. An explorer may replace its <img>
# or only its source, so anything that changes in the panel starts the comparison. What the page
# draws itself has no picture: maps tell when they have painted, of a sheet it is the text that
# counts.
WATCH = """panel => {
    const live = panel.querySelector('.course-maps, .course-sheet');
    const picture = () => panel.querySelector('img[alt]');
    const sentence = () => panel.querySelector('figcaption')?.textContent;
    const seen = () => live ? live.textContent + sentence() : picture()?.src;
    let pressed = 0, waits = false, shown = seen(), said = sentence();
    window.keyToPixels = [];
    window.places = new Set();  // of what is drawn in its panel: a second is a jump, or blank
    window.answers = 0;  // also those that leave the picture: a refusal is only a sentence
    window.unwatch?.();
    const key = event => { pressed = event.timeStamp; waits = true; };
    const place = () => {
        const image = live ?? picture(), stage = live?.querySelector('.stage') ?? image;
        if (panel.querySelector('.course-twin')) window.places.add('the twin is back');
        return live && stage !== live
            ? `${live.offsetTop} ${panel.offsetHeight - live.offsetHeight}`
            : `${image.offsetTop} ${image.offsetHeight} ${panel.offsetHeight}`;
    };
    const taken = start => requestAnimationFrame(() => {
        window.keyToPixels.push(performance.now() - start);
        window.places.add(place());
    });
    const painted = event => {
        if (!waits) return;  // numbers anew, or another cell lit
        waits = false;
        window.answers += 1;
        taken(pressed);
    };
    const changed = async () => {
        const image = picture(), now = seen(), words = sentence();
        const same = now === shown, maps = live?.matches('.course-maps');
        if (!live && !image || same && words === said) return;
        const alert = panel.querySelector('figcaption [role=alert]') && words !== said;
        [shown, said] = [now, words];
        if (maps && !alert) return;
        window.answers += 1;
        if (same || maps) return;
        const start = pressed;
        if (!live) {
            requestAnimationFrame(() => { if (!image.complete) window.places.add('blank'); });
            await image.decode();
        }
        taken(start);
    };
    const watch = new MutationObserver(changed);
    watch.observe(panel, {subtree: true, childList: true, attributes: true, characterData: true});
    document.addEventListener('keydown', key, true);
    document.addEventListener('pointerdown', key, true);
    panel.addEventListener('course-painted', painted);
    window.unwatch = () => {
        watch.disconnect();
        document.removeEventListener('keydown', key, true);
        document.removeEventListener('pointerdown', key, true);
        panel.removeEventListener('course-painted', painted);
    };
}"""
# What an explorer shows: a picture, or what the page has drawn of maps or of a sheet.
SHOWS = """panel => {
    const live = panel.querySelector('.course-maps, .course-sheet');
    if (!live) return panel.querySelector('img[alt]').src;
    return [live.textContent, ...[...live.querySelectorAll('canvas')].map(one => one.toDataURL())];
}"""
# Whether it is all there: a picture with a text, or what the page draws, and no picture beside it.
THERE = """panel => {
    const live = panel.querySelector('.course-maps, .course-sheet');
    const image = panel.querySelector('img[alt]');
    return live ? live.offsetHeight > 20 && !image : Boolean(image?.alt);
}"""

# A picture whose data cannot be read has no width.
PICTURES = """all => all.filter(image => image.naturalWidth > 0)
    .map(image => image.src.split(',')[1].replaceAll(/\\s/g, ''))"""
# In a narrow window a reader folds the list of files away.
NARROW = """narrow => {
    if (jupyterapp.shell.leftCollapsed !== narrow)
        jupyterapp.commands.execute('application:toggle-left-area');
}"""


class Lab:
    """JupyterLab on a temporary copy of the course, and a Chromium to look at it."""

    def __init__(self, folder, root=ROOT):
        self.folder = folder
        for name in ("lib", "notebooks"):
            shutil.copytree(root / name, folder / name, ignore=shutil.ignore_patterns("models"))
        for name, values in SETTINGS.items():
            path = folder / "settings/@jupyterlab" / f"{name}.jupyterlab-settings"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(values))

    def __enter__(self):
        with contextlib.ExitStack() as stack:
            self._serve(stack)
            self.chromium = stack.enter_context(sync_playwright()).chromium.launch(
                executable_path=CHROMIUM,
                # Chromium refuses its sandbox to root, which one is in a container
                args=FLAGS + ["--no-sandbox"] * (os.geteuid() == 0),
            )
            stack.callback(self.chromium.close)
            self._exit = stack.pop_all()
        return self

    def __exit__(self, *_):
        self._exit.close()

    def _serve(self, stack):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.url = f"http://127.0.0.1:{free.getsockname()[1]}"
        self.token = secrets.token_hex(8)
        own = {
            "HOME": self.folder / "home",
            "IPYTHONDIR": self.folder / "ipython",
            "JUPYTER_CONFIG_DIR": self.folder / "config",
            "JUPYTERLAB_SETTINGS_DIR": self.folder / "settings",
            "MPLCONFIGDIR": matplotlib.get_cachedir(),  # a new font cache takes seconds
            "COURSE_MODELS": where.folder().absolute(),  # the weights were not copied
        }
        command = [
            *(sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root"),
            "--expose-app-in-browser",
            "--ServerApp.ip=127.0.0.1",
            f"--ServerApp.port={self.url.rpartition(':')[2]}",
            f"--ServerApp.root_dir={self.folder}",
            f"--IdentityProvider.token={self.token}",
        ]
        log = stack.enter_context((self.folder / "lab.log").open("w+"))
        environment = os.environ | {key: str(value) for key, value in own.items()}
        self.server = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
        stack.callback(self._stop)
        deadline = time.monotonic() + 120
        while True:
            with contextlib.suppress(OSError):
                return urllib.request.urlopen(f"{self.url}/api", timeout=5).close()
            if time.monotonic() > deadline or self.server.poll() is not None:
                raise RuntimeError("JupyterLab did not start:\n" + Path(log.name).read_text())
            time.sleep(0.2)

    def _stop(self):
        self.server.send_signal(signal.SIGTERM)
        self.server.wait(30)

    def page(self, density=1):
        """A new page, on a screen of so many pixels for each pixel of CSS."""
        page = self.chromium.new_page(
            viewport={"width": 1400, "height": 1000}, device_scale_factor=density
        )
        page.set_default_timeout(60_000)
        return page

    @contextlib.contextmanager
    def lesson(self, name):
        """The lesson, opened and not yet run; its kernel ends with the block."""
        page = self.page()
        try:
            yield Lesson(self, page, name)
        finally:
            page.evaluate("() => jupyterapp.shell.currentWidget?.sessionContext.shutdown()")
            page.close()

    def kernel_megabytes(self):
        """Peak memory of the kernels now running, the largest (Linux only)."""
        peaks = [float("nan")]
        for status in Path("/proc").glob("[0-9]*/status"):
            with contextlib.suppress(OSError):  # it ended meanwhile
                ours = f"\nPPid:\t{self.server.pid}\n" in (text := status.read_text())
                if ours and b"ipykernel" in (status.parent / "cmdline").read_bytes():
                    peaks.append(int(re.search(r"VmHWM:\s+(\d+)", text)[1]) / 1024)
        return max(peaks[1:] or peaks)


class Lesson:
    """One notebook in the browser."""

    def __init__(self, lab, page, name):
        self.lab, self.page, self.complaints = lab, page, []
        page.on("console", self._listen)
        page.on("pageerror", lambda error: self.complaints.append(f"page error: {error}"))
        page.goto(f"{lab.url}/lab/tree/notebooks/{name}.ipynb?token={lab.token}&reset")
        self.notebook = page.locator(".jp-NotebookPanel:not(.lm-mod-hidden)")
        self.notebook.locator(".jp-CodeCell").first.wait_for()

    def _listen(self, message):
        if message.type == "error":
            self.complaints.append(f"{message.text} ({message.location.get('url', '')})")

    def pictures(self):
        """The committed pictures that the page shows, as base64; waits for the first."""
        shown = self.notebook.locator(".jp-RenderedImage img")
        shown.first.wait_for()
        return shown.evaluate_all(PICTURES)

    def texts(self):
        """The text alternative of every picture that a run has made ('' where it has none)."""
        return self.notebook.locator(".jp-OutputArea-output img").evaluate_all(
            "all => all.map(image => image.alt)"
        )

    def out_of_place(self, width, height, density=1):
        """What of the lesson sticks out, overlaps or is squeezed, on a screen of this size.

        In CSS pixels: 200 % is half the size at twice the density.
        """
        before, screen = self.page.viewport_size, self.page.context.new_cdp_session(self.page)
        self.page.set_viewport_size({"width": width, "height": height})
        sizes = {"width": width, "height": height, "deviceScaleFactor": density, "mobile": False}
        screen.send("Emulation.setDeviceMetricsOverride", sizes)
        self.page.evaluate(NARROW, width < 1000)
        self.page.wait_for_timeout(300)
        assert self.page.evaluate("[innerWidth, devicePixelRatio]") == [width, density]
        found = self.notebook.locator(".jp-WindowedPanel-outer").evaluate(FAULTS)
        screen.send("Emulation.clearDeviceMetricsOverride")
        screen.detach()
        self.page.set_viewport_size(before)
        self.page.evaluate(NARROW, False)
        return [f"{fault} at {width} px" for fault in found]

    def run_all(self):
        """Run every cell; returns the seconds it took."""
        return self.page.evaluate(RUN_ALL)

    def cells(self):
        return self.page.evaluate(CELLS)

    def panels(self):
        """The explorers of the lesson, live."""
        return self.notebook.locator(".course-panel")

    def label(self, field):
        """What the page calls a field."""
        return field.evaluate("field => field.labels[0]?.textContent ?? ''")

    def shows(self, panel):
        """What an explorer shows: picture and caption."""
        return panel.evaluate(SHOWS), panel.locator("figcaption").inner_text()

    def complete(self, panel):
        """Wait until an explorer shows itself, by its picture or by what the page draws of it."""
        panel.locator("img[alt], .course-maps canvas, .course-sheet").first.wait_for()
        handle = panel.element_handle()
        self.page.wait_for_function(THERE, arg=handle, timeout=10_000)

    def turn(self, panel, field, presses):
        """Press an arrow key in a number field so many times; returns ms from key to pixels.

        A key may lead to a refusal, or to nothing new to see: such presses give no time.
        """
        panel.evaluate(WATCH)
        field.scroll_into_view_if_needed()
        field.focus()
        key = "ArrowUp"
        for _ in range(3 * presses):
            before, answers = field.input_value(), self.page.evaluate("window.answers")
            field.press(key)
            if field.input_value() == before:  # the end of its range: turn round
                key = "ArrowDown" if key == "ArrowUp" else "ArrowUp"
                field.press(key)
            self._answer(f"window.answers > {answers}")
            self.page.evaluate("() => new Promise(requestAnimationFrame)")
            if len(self.page.evaluate("window.keyToPixels")) >= presses:
                break
        return self.page.evaluate("window.keyToPixels")

    def _answer(self, what, milliseconds=3_000):
        """Whether it comes to that."""
        try:
            self.page.wait_for_function(what, timeout=milliseconds)
        except TimeoutError:
            return False
        return True

    def stirs(self, panel, act):
        """Whether this changes the picture or the sentence of an explorer."""
        panel.evaluate(WATCH)
        before = self.shows(panel)
        act()
        self._answer("window.answers > 0")
        return self.shows(panel) != before

    def is_number(self, control):
        return control.get_attribute("type") == "number"

    def put(self, control, value):
        """Give a control this value again."""
        if control.evaluate("control => control.tagName") == "SELECT":
            control.select_option(value)
        else:
            control.fill(value)
            control.press("Enter")
        self.page.wait_for_timeout(300)

    def by_keyboard(self, panel, control):
        """Reach a control by its name and change it with keys alone; whether that shows."""
        control.focus()
        kind = control.evaluate("control => control.tagName + control.type")
        keys = ["ArrowUp", "ArrowDown", "ArrowDown"] if "number" in kind else ["End", "Home"]
        if kind == "INPUTtext":
            keys = ["End", "e", "Backspace", "Backspace"]
        return any(self.stirs(panel, lambda key=key: control.press(key)) for key in keys)

    def by_pointer(self, panel, slider):
        """Click on both ends and the middle of a slider; whether that shows."""
        slider.scroll_into_view_if_needed()
        box = slider.bounding_box()

        def click(share):
            self.page.mouse.click(box["x"] + share * box["width"], box["y"] + box["height"] / 2)

        return any(
            self.stirs(panel, lambda share=share: click(share)) for share in (0.02, 0.98, 0.5)
        )
