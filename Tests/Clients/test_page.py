"""The page's canvas in a real browser: frames follow the typing, and nothing is lost or shown late."""

import base64
import hashlib
import pathlib
import shlex
import subprocess
import unittest

from selenium.webdriver.common.keys import Keys

from browser import BIN, Browser, pace, page_daemon
from daemon import UnixConnection


class Canvas(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.daemon = cls.enterClassContext(page_daemon())
        cls.browser = cls.enterClassContext(Browser(cls.daemon))

    def setUp(self):
        self.browser.begin()

    def file(self, path):
        connection = UnixConnection(self.daemon.socket)
        try:
            connection.request("GET", f"/inkling/v1{path}")
            return connection.getresponse().read()
        finally:
            connection.close()

    def frame_file(self, number, query=""):
        return self.file(f"/canvases/{self.browser.canvas()['id']}/frames/{number}{query}")

    def shows(self, number):
        """Whether what is seen has the very pixels of a frame as the daemon gives it."""
        path = f"/canvases/{self.browser.canvas()['id']}/frames/{number}"
        return self.browser.awaiting("""
            const pixels = image => {
              const context = new OffscreenCanvas(image.naturalWidth, image.naturalHeight).getContext('2d');
              context.drawImage(image, 0, 0);
              return context.getImageData(0, 0, image.naturalWidth, image.naturalHeight).data;
            };
            const { file } = await import('/page/api.js');
            const given = new Image();
            given.src = URL.createObjectURL(await file(arguments[0]));
            await given.decode();
            const [one, other] = [pixels(given), pixels(document.querySelector('#frames img:last-child'))];
            return one.length > 0 && one.length === other.length && one.every((value, place) => value === other[place]);
            """, path)

    def test_typing_makes_frames_and_the_status_tells_how_long_a_key_took(self):
        self.browser.type("a red house")
        number = self.browser.settle("a red house")
        self.assertEqual(self.browser.one("#frames").get_attribute("aria-label"), "Picture of “a red house”")
        self.assertRegex(self.browser.one("#status-times").text, r"^key to frame [\d.]+ m?s · \d+ × \d+ · ")
        self.assertEqual(len(self.browser.all("#strip li")), len(self.browser.frames()))
        self.assertTrue(self.shows(number))
        self.assertEqual(self.browser.complaints(), [])

    def test_under_ten_keys_a_second_with_edits_no_older_frame_comes_after_a_newer_one(self):
        self.browser.script("""
            window.seen = [];
            new MutationObserver(() => seen.push(Number(document.getElementById('frames').dataset.revision)))
                .observe(document.getElementById('frames'), {attributes: true, attributeFilter: ['data-frame']});""")
        field = self.browser.one("#prompt")
        field.click()
        trace = [*"a red cat", *[Keys.BACKSPACE] * 3, *"house on a hill", *[Keys.ARROW_LEFT] * 4,
                 *[Keys.BACKSPACE] * 2, *"the ", Keys.END, *" at night", *[Keys.BACKSPACE] * 5, "dusk"]
        for key, _ in zip(trace, pace(0.1)):
            field.send_keys(key)
        text = field.get_attribute("value")
        self.assertEqual(text, "a red house on the hill at dusk")
        number = self.browser.settle(text)
        seen = self.browser.script("return seen")
        self.assertEqual(seen, sorted(seen))
        self.assertEqual(seen[-1], self.browser.canvas()["prompt"]["revision"])
        last = next(frame for frame in self.browser.frames() if frame["number"] == number)
        self.assertEqual(last["frame"]["recipe"]["prompt"], text)

    def test_what_is_saved_kept_brought_back_and_painted_by_the_copied_command_is_the_same(self):
        self.browser.type("a green tree")
        number = self.browser.settle("a green tree")
        self.browser.leave_field()
        self.browser.press("s")
        name, first = self.browser.download(".png")
        self.assertEqual(name, "a-green-tree-0.png")
        self.browser.press("s")
        self.assertEqual(self.browser.download(".png")[1], first)
        self.assertEqual(self.frame_file(number, "?format=png"), first)
        self.browser.press("w")
        self.assertEqual(self.browser.download(".webp")[1][8:12], b"WEBP")

        self.browser.press("k")
        self.browser.until(lambda: self.browser.all(".message .shown"))
        kept = self.browser.one(".message .shown").get_attribute("data-picture")
        self.assertEqual(self.file(f"/pictures/{kept}"), first)
        self.assertIn("kept", self.browser.one(f"#frame-{number}").get_attribute("class"))

        self.browser.allow_clipboard()
        self.browser.press("c")
        self.browser.toast("Copied")
        words = shlex.split(self.browser.clipboard())
        self.assertEqual(words[0], "inkling")
        painted = pathlib.Path(self.browser.folder) / "painted.png"
        command = [f"{BIN}/inkling", *words[1:words.index("--")], "-o", str(painted), *words[words.index("--"):]]
        subprocess.run(command, env=self.daemon.environment, check=True, capture_output=True)
        self.assertEqual(painted.read_bytes(), first)

        # Another text, and back to the frame before.
        self.browser.type(" in snow")
        self.browser.settle("a green tree in snow")
        self.browser.click(f"#frame-{number}")
        self.browser.until(lambda: self.browser.shown()["frame"] == str(number))
        self.assertTrue(self.shows(number))
        self.assertIn("a green tree", self.browser.one("#recall-text").text)
        self.browser.click("#use-frame")
        self.browser.settle("a green tree")
        self.assertFalse(self.browser.one("#recall").is_displayed())

    def test_earlier_frames_come_back_by_arrow_keys_and_typing_leaves_them(self):
        for text in ("a house", " and a tree"):
            self.browser.type(text)
            self.browser.settle("a house" if text == "a house" else "a house and a tree")
        newest = self.browser.shown()["frame"]
        self.browser.leave_field()
        self.browser.press(Keys.ARROW_LEFT)
        self.browser.until(lambda: self.browser.shown()["frame"] != newest)
        self.assertTrue(self.browser.one("#recall").is_displayed())
        self.browser.press(Keys.ESCAPE)
        self.browser.until(lambda: self.browser.shown()["frame"] == newest)
        self.browser.press(Keys.ARROW_LEFT)
        self.browser.until(lambda: self.browser.shown()["frame"] != newest)
        self.browser.type(" at night")
        self.browser.settle("a house and a tree at night")

    def test_a_reload_brings_back_text_picture_timeline_and_conversation(self):
        self.browser.type("a blue boat")
        number = self.browser.settle("a blue boat")
        self.browser.press(Keys.ENTER)
        self.browser.until(lambda: self.browser.all(".message .shown"))
        self.browser.reload()
        self.browser.until(lambda: self.browser.shown().get("frame") == str(number))
        self.assertEqual(self.browser.one("#prompt").get_attribute("value"), "a blue boat")
        self.browser.until(lambda: self.browser.all("#strip li.kept"))
        self.browser.until(lambda: self.browser.all(".message .shown"))
        self.assertEqual(len(self.browser.all("#strip li")), len(self.browser.frames()))

    def take_the_stream(self):
        """Puts the stream of events into the test's hands: `cut()` breaks it, `inject(text)` adds to it."""
        self.browser.script("""
            window.asked = [];
            const real = window.fetch;
            window.fetch = async (path, options) => {
              if (!String(path).endsWith('/events')) return real(path, options);
              asked.push(options.headers['Last-Event-ID'] ?? null);
              const response = await real(path, options);
              const cut = new TransformStream({start(controller) {
                window.cut = () => controller.error(new TypeError('cut'));
                window.inject = text => controller.enqueue(new TextEncoder().encode(text));
              }});
              return new Response(response.body.pipeThrough(cut), response);
            };""")
        self.browser.type("a red")
        self.browser.settle("a red")
        # The one from before the wrapper ends with its canvas.
        self.daemon.request("DELETE", f"/inkling/v1/canvases/{self.browser.canvas()['id']}")
        self.browser.until(lambda: self.browser.script("return typeof window.cut === 'function'"))
        self.browser.settle("a red")

    def test_a_frame_of_an_older_text_is_not_shown_after_a_newer_one(self):
        self.take_the_stream()
        self.browser.type(" house")
        number = self.browser.settle("a red house")
        self.browser.script("""
            const frame = {number: 1, revision: 0, stage: 'draft', step: 1, steps: 1, is_settled: false, width: 1, height: 1,
              format: 'png', timings: {since_key: 1}, data: arguments[0]};
            inject(`id: 900\\nevent: frame\\ndata: ${JSON.stringify(frame)}\\n\\n`);
            inject('id: 901\\nevent: notice\\ndata: {"code": "x", "message": "behind it"}\\n\\n');""",
            base64.b64encode(self.frame_file(number, "?format=png")).decode())
        self.browser.until(lambda: self.browser.one("#status-text").text == "behind it")
        self.assertEqual(self.browser.shown()["frame"], str(number))
        self.browser.until(lambda: len(self.browser.all("#frames img")) == 1)

    def test_a_lost_stream_goes_on_behind_the_last_event(self):
        self.take_the_stream()
        self.browser.script("cut()")
        self.browser.until(lambda: len(self.browser.script("return asked")) == 2)
        first, second = self.browser.script("return asked")
        self.assertIsNone(first)
        self.assertGreater(int(second), 0)
        self.browser.type(" house")
        self.browser.settle("a red house")

    def test_two_windows_agree(self):
        self.browser.type("a house")
        self.browser.settle("a house")
        first = self.browser.driver.current_window_handle
        # It is to hear of the other one by the stream, and not because somebody looks at it again.
        self.browser.script("""
            for (const name of ['focus', 'visibilitychange']) {
              window.addEventListener(name, event => event.stopImmediatePropagation(), {capture: true});
            }""")
        self.browser.driver.switch_to.new_window("tab")
        self.addCleanup(self.browser.driver.switch_to.window, first)
        self.addCleanup(self.browser.driver.close)
        self.browser.open()
        self.browser.until(lambda: self.browser.one("#prompt").get_attribute("value") == "a house")
        self.browser.type(" on a hill")
        self.browser.settle("a house on a hill")
        second = self.browser.driver.current_window_handle
        self.browser.driver.switch_to.window(first)
        self.browser.until(lambda: self.browser.one("#prompt").get_attribute("value") == "a house on a hill")
        self.browser.settle("a house on a hill")
        self.browser.type(" at dusk")
        self.browser.settle("a house on a hill at dusk")
        self.browser.driver.switch_to.window(second)
        self.browser.settle("a house on a hill at dusk")
        self.assertEqual(self.browser.one("#prompt").get_attribute("value"), "a house on a hill at dusk")

    def test_settings_are_painted_anew_and_a_picture_can_be_started_from(self):
        self.browser.type("a house")
        before = self.browser.settle("a house")
        self.browser.leave_field()
        self.browser.press("]")
        self.browser.until(lambda: self.browser.one("#seed").get_attribute("value") == "1")
        self.browser.until(lambda: self.browser.shown()["frame"] != str(before))
        number = self.browser.settle("a house")
        self.assertEqual(self.browser.frames()[-1]["frame"]["recipe"]["seed"], 1)
        path = self.browser.folder / "start.png"
        path.write_bytes(self.frame_file(number, "?format=png"))
        self.browser.press(",")
        self.browser.one("#start-file").send_keys(str(path))
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        def last():
            return self.browser.frames()[-1]["frame"]["recipe"]
        self.browser.until(lambda: last().get("init_image") == digest, "a frame from the picture")
        self.assertEqual(last()["strength"], 0.8)
        self.browser.until(lambda: self.browser.one("#start-preview").is_displayed())
        self.browser.click("#start-remove")
        # Steps and budget are again what they were.
        self.browser.until(lambda: "init_image" not in last() and last()["steps"] == 1, "a frame from noise")
        self.assertEqual(self.browser.canvas()["settings"].get("budget", 300), 300)
        self.browser.script("""
            const bytes = Uint8Array.from(atob(arguments[0]), letter => letter.charCodeAt(0));
            const dataTransfer = new DataTransfer();
            dataTransfer.items.add(new File([bytes], 'start.png', { type: 'image/png' }));
            const drop = new DragEvent('drop', { dataTransfer, bubbles: true, cancelable: true });
            document.getElementById('stage').dispatchEvent(drop);
            """, base64.b64encode(path.read_bytes()).decode())
        self.browser.until(lambda: last().get("init_image") == digest, "a frame from the dropped picture")
        self.browser.click("#start-remove")
        self.browser.until(lambda: "init_image" not in last(), "a frame from noise again")
        self.browser.fill("#negative", "snow")
        self.browser.until(lambda: last()["negative_prompt"] == "snow")

    def test_a_daemon_that_was_killed_and_started_again_is_found_and_the_text_is_painted_on(self):
        self.browser.type("a red house")
        self.browser.settle("a red house")
        self.restart(meanwhile=lambda: self.browser.type(" by the sea"))
        self.browser.settle("a red house by the sea")
        self.assertEqual(self.browser.one("#prompt").get_attribute("value"), "a red house by the sea")

    def test_a_window_that_is_opened_after_a_restart_takes_text_and_settings_from_the_one_before(self):
        self.browser.type("a red house")
        self.browser.settle("a red house")
        self.browser.leave_field()
        self.browser.press("]")
        self.browser.until(lambda: self.browser.canvas()["settings"].get("seed") == 1)
        self.browser.settle("a red house")
        second = self.restart(keeping=True)
        self.browser.settle("a red house")
        self.browser.until(lambda: self.browser.frames()[-1]["frame"]["recipe"]["seed"] == 1)
        self.browser.driver.switch_to.window(second)
        self.addCleanup(self.browser.driver.switch_to.window, self.first)
        self.addCleanup(self.browser.driver.close)
        self.browser.until(lambda: self.browser.one("#prompt").get_attribute("value") == "a red house")
        self.browser.settle("a red house")

    def restart(self, meanwhile=lambda: None, keeping=False):
        """Kills the daemon and starts it again, and opens a new link in another window, which is closed again."""
        self.first = self.browser.driver.current_window_handle
        self.daemon.kill()
        self.browser.until(lambda: self.browser.one("#connection").get_attribute("data-state") == "lost")
        self.assertEqual(self.browser.one("#status-text").text, "Connection lost. Trying again.")
        meanwhile()
        self.daemon.start()
        # It asks for a new link, since everything secret is new; the page stays as it is.
        self.browser.until(lambda: self.browser.one("#locked").is_displayed())
        self.browser.driver.switch_to.new_window("tab")
        second = self.browser.driver.current_window_handle
        self.browser.open()
        if not keeping:
            self.browser.driver.close()
        self.browser.driver.switch_to.window(self.first)
        self.browser.until(lambda: not self.browser.one("#locked").is_displayed())
        return second


if __name__ == "__main__":
    unittest.main()
