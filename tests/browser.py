"""Chromium under remote control through a pipe: keys, media, sizes, what its console says."""

import json
import os
import select
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

BROWSER = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome"))),
    None,
)


class Browser:
    """One page of a browser; messages are JSON, each ends with a zero byte."""

    def __init__(self, to_browser: int, from_browser: int) -> None:
        self._out, self._in = to_browser, from_browser
        self._rest, self._number, self._session = b"", 0, {}
        self.problems: list[str] = []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        session = self.call("Target.attachToTarget", targetId=target, flatten=True)
        self._session = {"sessionId": session["sessionId"]}
        for domain in ("Page", "Runtime", "Log", "Performance"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Run a command of the DevTools protocol and return its result."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters, **self._session}
        os.write(self._out, json.dumps(message).encode() + b"\0")
        while (found := self._next()).get("id") != self._number:
            self._note(found)
        assert "error" not in found, found["error"]
        return found["result"]

    def open(
        self, page: Path, *, width: int, height: int = 800, dark: bool = False, query: str = ""
    ) -> None:
        """Show a page in a window of this size, and wait until it is drawn."""
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width, height=height, deviceScaleFactor=1, mobile=False,
        )  # fmt: skip
        feature = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[feature])
        self.problems.clear()
        self.call("Page.navigate", url=page.as_uri() + (f"?{query}" if query else ""))
        self.run(
            "new Promise(done => document.readyState === 'complete' ? done()"
            " : addEventListener('load', done))"
        )

    def run(self, script: str) -> Any:
        """Return the value of an expression of the page; promises are waited for."""
        found = self.call(
            "Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True
        )
        assert "exceptionDetails" not in found, found["exceptionDetails"]
        return found["result"].get("value")

    def press(self, key: str, *, code: int, text: str = "") -> None:
        """Press a key as a person does."""
        options = {"key": key, "code": key, "windowsVirtualKeyCode": code}
        self.call("Input.dispatchKeyEvent", type="keyDown", text=text, **options)
        self.call("Input.dispatchKeyEvent", type="keyUp", **options)

    def seconds_used(self) -> float:
        """Return the processor time of the process that draws the page, since it began."""
        found = self.call("Performance.getMetrics")["metrics"]
        return float(next(one["value"] for one in found if one["name"] == "ProcessTime"))

    def _note(self, message: dict[str, Any]) -> None:
        """Keep what the console would show in red."""
        told = message.get("params", {})
        if message.get("method") == "Runtime.exceptionThrown":
            self.problems.append(told["exceptionDetails"]["text"])
        if message.get("method") == "Log.entryAdded" and told["entry"]["level"] == "error":
            self.problems.append(told["entry"]["text"])
        if message.get("method") == "Runtime.consoleAPICalled" and told["type"] == "error":
            self.problems.append(str(told["args"]))

    def _next(self) -> dict[str, Any]:
        until = time.monotonic() + 120
        while b"\0" not in self._rest:
            ready = select.select([self._in], [], [], max(0.0, until - time.monotonic()))[0]
            assert ready, "the browser does not answer"
            more = os.read(self._in, 1 << 20)
            assert more, "the browser has ended"
            self._rest += more
        first, self._rest = self._rest.split(b"\0", 1)
        return json.loads(first)


@contextmanager
def browsing(profile: Path) -> Iterator[Browser]:
    """Start a browser without a window; it reads commands from descriptor 3 and answers on 4."""
    (read, to_browser), (from_browser, write) = os.pipe(), os.pipe()
    command = (
        f'exec "$0" --headless --no-sandbox --disable-gpu --disable-dev-shm-usage '
        f'--user-data-dir="$1" --remote-debugging-pipe 3<&{read} 4>&{write} 2>/dev/null'
    )
    running = subprocess.Popen(
        ["bash", "-c", command, str(BROWSER), str(profile)], pass_fds=(read, write)
    )
    os.close(read)
    os.close(write)
    try:
        browser = Browser(to_browser, from_browser)
        yield browser
        browser._session = {}
        browser.call("Browser.close")
    finally:
        os.close(to_browser)
        os.close(from_browser)
        try:
            running.wait(20)
        except subprocess.TimeoutExpired:
            running.kill()
            running.wait()
