"""A real Chromium without a window, on the page of a daemon; ended by its driver, which started it."""

import pathlib
import shutil
import socket
import subprocess
import tempfile
import time

from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from daemon import BIN, Daemon

# Of everything that is waited for; what is right takes a fraction of it, also on a slow machine.
PATIENCE = 60
OPTIONS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
    "--disable-extensions", "--disable-background-networking", "--disable-component-update", "--mute-audio",
    # A tab behind another one goes on as if it were seen.
    "--disable-renderer-backgrounding", "--disable-background-timer-throttling",
    "--disable-backgrounding-occluded-windows", "--hide-scrollbars", "--window-size=1280,860")


def free_port():
    """A port that nobody listens on now."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def page_daemon(**variables):
    """A daemon that comes back at the same address when it is started again."""
    return Daemon(INKLING_SERVER_LISTEN=f"localhost:{free_port()}", **variables)


def link(daemon):
    """What `inkling open` prints."""
    command = [f"{BIN}/inkling", "open", "--print"]
    return subprocess.run(command, env=daemon.environment, check=True, capture_output=True, text=True).stdout.strip()


class Browser:
    """Starts Chromium on entry; on exit ends it and removes its profile."""

    def __init__(self, daemon):
        self.daemon = daemon

    def __enter__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="ink-browser-"))
        options = webdriver.ChromeOptions()
        options.binary_location = shutil.which("chromium")
        for option in (*OPTIONS, f"--user-data-dir={self.folder}/profile"):
            options.add_argument(option)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        self.driver = webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))
        self.downloads = self.folder / "downloads"
        self.downloads.mkdir()
        return self

    def __exit__(self, *_):
        self.driver.quit()
        shutil.rmtree(self.folder, ignore_errors=True)

    def command(self, name, **parameters):
        return self.driver.execute_cdp_cmd(name, parameters)

    # Pages

    def open(self):
        """Opens the page by a link of its own, and waits until it is connected."""
        self.driver.get(link(self.daemon))
        self.until(lambda: self.one("#connection").get_attribute("data-state") == "open")
        return self

    def begin(self):
        """Opens the page as in a browser that has never seen it, with a canvas of its own."""
        before = self.driver.current_window_handle
        self.driver.switch_to.new_window("tab")
        fresh = self.driver.current_window_handle
        self.driver.switch_to.window(before)
        # First the page that would have its canvas back, then the canvas.
        self.driver.close()
        self.driver.switch_to.window(fresh)
        # This holds for as long as the tab that said it.
        self.command("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(self.downloads))
        self.complaints()
        for canvas in self.daemon.request("GET", "/inkling/v1/canvases")[1]["canvases"]:
            self.daemon.request("DELETE", f"/inkling/v1/canvases/{canvas['id']}")
        address = link(self.daemon)
        origin = "/".join(address.split("/")[:3])
        self.command("Storage.clearDataForOrigin", origin=origin, storageTypes="local_storage,indexeddb")
        self.driver.get(address)
        self.until(lambda: self.one("#connection").get_attribute("data-state") == "open")
        self.until(self.canvas, "a canvas")

    def reload(self):
        self.driver.refresh()
        self.until(lambda: self.one("#connection").get_attribute("data-state") == "open")

    def allow_clipboard(self):
        origin = self.script("return location.origin")
        permissions = ["clipboardReadWrite", "clipboardSanitizedWrite"]
        self.command("Browser.grantPermissions", origin=origin, permissions=permissions)

    def clipboard(self):
        return self.awaiting("return navigator.clipboard.readText()")

    # Elements

    def one(self, selector):
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def all(self, selector):
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def click(self, selector):
        self.one(selector).click()

    def press(self, *keys):
        """Presses keys where the focus is."""
        for key in keys:
            self.driver.switch_to.active_element.send_keys(key)

    def leave_field(self):
        self.script("document.activeElement.blur()")

    def type(self, text):
        """Types into the prompt, all of it at once for the page's purposes."""
        field = self.one("#prompt")
        field.click()
        field.send_keys(text)

    def fill(self, selector, text):
        """Puts a text in the place of a field's own."""
        self.script(
            "const field = document.querySelector(arguments[0]); field.focus(); field.value = arguments[1];"
            "field.dispatchEvent(new Event('input', {bubbles: true}));", selector, text)

    # Scripts and waiting

    def script(self, text, *arguments):
        return self.driver.execute_script(text, *arguments)

    def awaiting(self, body, *arguments):
        """The value of an asynchronous function's body, or its error as a failure of the test."""
        result = self.driver.execute_async_script(
            "const done = arguments[arguments.length - 1];"
            f"(async () => {{ {body} }})().then(value => done([value]), error => done([null, String(error)]));",
            *arguments)
        if len(result) > 1:
            raise AssertionError(result[1])
        return result[0]

    def until(self, condition, about=""):
        """Waits until something is so; returns it."""
        wait = WebDriverWait(self.driver, PATIENCE, poll_frequency=0.05, ignored_exceptions=(Exception,))
        return wait.until(lambda _: condition(), about)

    # The canvas

    def shown(self):
        """What is seen: the frame's number, revision and stage."""
        return self.script("return {...document.getElementById('frames').dataset}")

    def canvas(self):
        """The page's canvas as the daemon has it."""
        name = self.script("return document.getElementById('stage').dataset.canvas")
        status, canvas = self.daemon.request("GET", f"/inkling/v1/canvases/{name}")
        assert status == 200, canvas
        return canvas

    def settle(self, text):
        """Waits until the settled picture of a text is seen, and the daemon has that text too."""
        def is_settled():
            canvas, shown = self.canvas(), self.shown()
            return (canvas["prompt"]["text"] == text and shown.get("stage") == "settled"
                    and shown["revision"] == str(canvas["prompt"]["revision"])
                    and self.one("#status").get_attribute("data-state") == "settled")
        self.until(is_settled, f"the settled picture of {text!r}")
        return int(self.shown()["frame"])

    def frames(self):
        """The timeline as the daemon has it."""
        return self.daemon.request("GET", f"/inkling/v1/canvases/{self.canvas()['id']}/frames")[1]["frames"]

    def toast(self, words):
        self.until(lambda: words in self.one("#toast-text").text, words)

    def download(self, suffix):
        """The bytes of the next file that is saved; it is removed."""
        def find():
            return next((path for path in self.downloads.iterdir() if path.name.endswith(suffix)), None)
        path = self.until(find, f"a saved {suffix}")
        data = path.read_bytes()
        path.unlink()
        return path.name, data

    def complaints(self):
        """What the page has said against itself in the console."""
        return [entry["message"] for entry in self.driver.get_log("browser") if entry["level"] == "SEVERE"]


def pace(seconds):
    """Times that lie so far apart, for typing as a person does."""
    due = time.monotonic()
    while True:
        yield
        due += seconds
        time.sleep(max(0, due - time.monotonic()))
