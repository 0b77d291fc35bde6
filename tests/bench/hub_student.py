"""One student of hub.py: speaks to hub, server and kernel as a browser with JupyterLab does."""

import itertools
import json
import time

import httpx  # comes with JupyterLab, as Tornado does
from jupyter_client.session import Session
from tornado.httpclient import HTTPRequest
from tornado.websocket import websocket_connect

PATIENCE = 1800  # seconds for whatever a student waits for
DEAD = {"restarting", "autorestarting", "terminating", "dead"}
CONTROLS = ("SliderModel", "TextModel", "DropdownModel")  # the first of these kinds is turned


class Failure(Exception):
    """What went wrong, in one line."""


class Student:
    """Logs in, opens the lesson, runs it and turns the control, as a browser would."""

    def __init__(self, url, name):
        self.name, self.home, self.widgets, self.failure = name, f"/user/{name}", {}, None
        # Nothing leaves this machine: no certificates to load, no proxy to ask.
        options = dict(base_url=url, timeout=PATIENCE, verify=False, trust_env=False)
        self.client = httpx.AsyncClient(follow_redirects=True, **options)
        self.session = Session()

    async def fetch(self, path, form=None, **options):
        """The answer, after all redirections; with a form or json= it is a POST."""
        folder = "/hub/" if path.startswith("/hub/") else f"{self.home}/"
        headers = {"X-XSRFToken": self.client.cookies.get("_xsrf", "", path=folder)}
        method = "POST" if form or options else "GET"
        answer = await self.client.request(method, path, data=form, headers=headers, **options)
        if answer.is_error:
            place = f"{answer.request.method} {answer.url.path}"
            raise Failure(f"HTTP {answer.status_code} {answer.reason_phrase}: {place}")
        return answer

    async def log_in(self):
        """From the login page to a running server."""
        await self.fetch("/hub/login")
        form = dict(username=self.name, password="", _xsrf=self.client.cookies["_xsrf"])
        await self.fetch("/hub/login?next=/hub/spawn", form)
        events = (await self.fetch(f"/hub/api/users/{self.name}/server/progress")).text
        last = json.loads(events.rpartition("data: ")[2])
        if not last.get("ready"):
            raise Failure(last["message"])

    async def open(self, lesson):
        """The lesson's page, its cells, and a kernel that answers."""
        await self.fetch(f"{self.home}/lab/tree/{lesson}")
        found = (await self.fetch(f"{self.home}/api/contents/{lesson}?content=1")).json()
        self.cells = [cell for cell in found["content"]["cells"] if cell["cell_type"] == "code"]
        session = dict(path=lesson, name=lesson, type="notebook", kernel={"name": "python3"})
        made = (await self.fetch(f"{self.home}/api/sessions", json=session)).json()
        path = f"{self.home}/api/kernels/{made['kernel']['id']}/channels"
        address = f"{self.client.base_url.copy_with(scheme='ws')}{path}"
        cookies = [cookie for cookie in self.client.cookies.jar if path.startswith(cookie.path)]
        line = "; ".join(f"{cookie.name}={cookie.value}" for cookie in cookies)
        headers = {"Cookie": line, "Origin": str(self.client.base_url).rstrip("/")}
        request = HTTPRequest(address, headers=headers, connect_timeout=PATIENCE)
        self.socket = await websocket_connect(request, max_message_size=2**28)
        async for _ in self.answers({self.send("kernel_info_request", {})}):
            pass

    def send(self, kind, content):
        """Send the kernel a message; returns the message's identity."""
        message = self.session.msg(kind, content) | dict(channel="shell", buffers=[])
        self.socket.write_message(json.dumps(message, default=str))
        return message["header"]["msg_id"]

    async def answers(self, waiting):
        """(to which message, kind, content) of all it says, until it is done with these."""
        while waiting:
            text = await self.socket.read_message()
            if text is None:
                raise Failure("the connection to the kernel was closed")
            message = json.loads(text)
            kind, content = message["header"]["msg_type"], message["content"]
            to = message["parent_header"].get("msg_id")
            state = content.get("execution_state") if kind == "status" else None
            if state in DEAD:
                raise Failure(f"the kernel died ({state})")
            self.note(kind, content)
            yield to, kind, content
            if state == "idle":
                waiting.discard(to)

    def note(self, kind, content):
        """Keep the state of every widget, as a browser does."""
        if kind == "comm_open" and content["target_name"] == "jupyter.widget":
            self.widgets[content["comm_id"]] = content["data"]["state"]
        if kind == "comm_msg" and content["data"].get("method") == "update":
            self.widgets.get(content["comm_id"], {}).update(content["data"]["state"])

    async def run_all(self):
        """All cells, sent at once; after one that may raise the others go on."""
        sent = {}
        for number, cell in enumerate(self.cells, 1):
            code, may_raise = cell["source"], "raises-exception" in cell["metadata"].get("tags", ())
            options = dict(silent=False, store_history=True, allow_stdin=False)
            request = dict(code=code, stop_on_error=not may_raise, **options)
            sent[self.send("execute_request", request)] = number, code, may_raise
        async for to, kind, content in self.answers(set(sent)):
            number, code, may_raise = sent.get(to, (0, "", False))
            if kind == "error" and not may_raise:
                said = f"{content['ename']}: {content['evalue']}".splitlines()[0]
                first = code.strip().partition("\n")[0]
                raise Failure(f"code cell {number} ({first}): {said}")
        self.find_control()

    def find_control(self):
        """The explorer's first slider (or field), and the view that shows its picture."""
        panels = [w for w in self.widgets.values() if "course-panel" in w.get("_dom_classes", ())]
        if not panels:
            raise Failure("the lesson shows no explorer")
        *controls, self.view = children(panels[-1])
        leaves = [leaf for name in controls for leaf in children(self.widgets[name]) or [name]]
        kinds = {leaf: self.widgets[leaf]["_model_name"] for leaf in leaves}
        pairs = itertools.product(CONTROLS, leaves)
        self.control = next(leaf for kind, leaf in pairs if kinds[leaf].endswith(kind))

    async def turn(self):
        """Turn the control by one step; returns the seconds until the new picture came."""
        state, taken = next_state(self.widgets[self.control]), None
        data, start = dict(method="update", state=state, buffer_paths=[]), time.perf_counter()
        sent = self.send("comm_msg", dict(comm_id=self.control, data=data))
        async for to, kind, content in self.answers({sent}):
            if kind == "error":
                raise Failure(f"{state}: {content['ename']}: {content['evalue']}")
            if kind == "comm_msg" and to == sent and content["comm_id"] == self.view:
                taken = time.perf_counter() - start
        if taken is None:
            raise Failure(f"no new picture at {state}")
        self.widgets[self.control].update(state)
        return taken


def children(widget):
    return [name.removeprefix("IPY_MODEL_") for name in widget.get("children", ())]


def next_state(widget):
    """What the browser would send: the next stop, and after the last one the first."""
    if "index" in widget:
        return {"index": (widget["index"] + 1) % len(widget["_options_labels"])}
    value = widget["value"]
    if isinstance(value, str):
        return {"value": value[:-1] if value.endswith("a") else value + "a"}
    low, high, step = widget["min"], widget["max"], widget["step"]
    stop = round((value - low) / step) + 1
    return {"value": low + step * (stop % (round((high - low) / step) + 1))}
