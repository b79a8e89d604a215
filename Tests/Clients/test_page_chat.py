"""The page's chat in a real browser: answers, branches, the list of conversations, and who can use it all."""

import unittest

from axe_core_python.selenium import Axe
from selenium.webdriver.common.keys import Keys

from browser import Browser, page_daemon

# What axe-core calls by these names is what WCAG 2.1 asks for at levels A and AA, and good practice beside it.
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]}


class Chat(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.daemon = cls.enterClassContext(page_daemon(INKLING_CHAT_TEMPERATURE="0", INKLING_CHAT_MAX_TOKENS="24"))
        cls.browser = cls.enterClassContext(Browser(cls.daemon))

    def setUp(self):
        for conversation in self.daemon.request("GET", "/inkling/v1/conversations")[1]["conversations"]:
            self.daemon.request("DELETE", f"/inkling/v1/conversations/{conversation['id']}?now=true")
        self.browser.begin()

    def conversations(self):
        return self.daemon.request("GET", "/inkling/v1/conversations")[1]["conversations"]

    def messages(self):
        """The shown branch as the daemon has it."""
        found = self.conversations()
        return self.daemon.request("GET", f"/inkling/v1/conversations/{found[0]['id']}")[1]["messages"] if found else []

    def say(self, text):
        self.browser.click("#message")
        self.browser.press(text, Keys.ENTER)

    def answered(self, count):
        """Waits until so many messages are there, the last one answered; returns what is seen of them."""
        def is_there():
            items = self.browser.all(".message")
            return len(items) == count and not self.browser.all(".message.writing, #stop:not([hidden])")
        self.browser.until(is_there, f"{count} messages")
        return self.browser.script("return [...document.querySelectorAll('.message .body')].map(body => body.innerText)")

    def titles(self):
        return self.browser.script("return [...document.querySelectorAll('#conversations .title')].map(one => one.innerText)")

    def test_an_answer_is_written_and_kept_and_edits_and_new_answers_are_branches(self):
        self.say("Name a colour.")
        question, answer = self.answered(2)
        self.assertEqual(question, "Name a colour.")
        self.assertTrue(answer)
        self.assertEqual([one["content"] for one in self.messages()][0], question)
        self.browser.leave_field()
        self.browser.press("g")
        self.browser.until(lambda: any(one["sibling_count"] == 2 for one in self.messages()))
        self.answered(2)
        self.browser.until(lambda: self.browser.one(".message.assistant .branch").text == "2 of 2")

        self.browser.leave_field()
        self.browser.press("e")
        self.browser.until(lambda: self.browser.all(".message textarea"))
        self.browser.fill(".message textarea", "Name a bird.")
        self.browser.press(Keys.ENTER)
        self.browser.until(lambda: self.messages()[0]["content"] == "Name a bird.")
        self.assertEqual(self.answered(2)[0], "Name a bird.")
        self.browser.leave_field()
        self.browser.press("{")
        self.browser.until(lambda: self.browser.all(".message") and
                           self.browser.one(".message .body").text == "Name a colour.")
        self.assertEqual(self.messages()[0]["content"], "Name a colour.")
        self.assertEqual(self.browser.complaints(), [])

    def test_an_answer_is_stopped_and_what_was_said_stays(self):
        self.daemon.request("POST", "/inkling/v1/conversations", {"title": "Long"})
        self.browser.script("""
            const real = window.fetch;
            window.fetch = (path, options) => {
              if (options?.method === 'POST' && String(path).endsWith('/messages')) {
                options.body = JSON.stringify({...JSON.parse(options.body),
                  settings: {max_tokens: 4000, logit_bias: {0: -100, 2: -100}}});
              }
              return real(path, options);
            };""")
        self.say("Count from one to ten thousand.")
        self.browser.until(lambda: len(self.browser.one(".message.writing .body:not(:has(.waiting))").text) > 20)
        self.browser.leave_field()
        self.browser.press("x")
        self.answered(2)
        self.browser.until(lambda: self.messages()[-1].get("finish") == "cancelled")
        self.browser.until(lambda: "Stopped" in self.browser.one(".message.assistant .meta").text)
        self.assertTrue(self.messages()[-1]["content"])

    def test_conversations_are_found_renamed_deleted_and_brought_back(self):
        for title in ("Rivers of Europe", "A letter to the landlord"):
            self.daemon.request("POST", "/inkling/v1/conversations", {"title": title})
        self.browser.reload()
        self.browser.until(lambda: self.titles() == ["A letter to the landlord", "Rivers of Europe"])
        self.browser.press("")
        self.browser.leave_field()
        self.browser.press("/", "river")
        self.browser.until(lambda: self.titles() == ["Rivers of Europe"])
        self.assertEqual(self.browser.one("#conversations mark").text.lower()[:5], "river")
        self.browser.one("#conversations .open").send_keys(Keys.F2)
        field = self.browser.until(lambda: self.browser.one("#conversations input"))
        field.send_keys(Keys.END, "!", Keys.ENTER)
        self.browser.until(lambda: any(one["title"] == "Rivers of Europe!" for one in self.conversations()))
        self.browser.fill("#search", "")
        self.browser.until(lambda: len(self.titles()) == 2)

        place = self.titles().index("Rivers of Europe!")
        self.browser.all("#conversations .open")[place].send_keys(Keys.DELETE)
        self.browser.until(lambda: self.titles() == ["A letter to the landlord"])
        self.assertEqual(len(self.conversations()), 1)
        self.browser.toast("Deleted “Rivers of Europe!”")
        self.browser.leave_field()
        self.browser.press("u")
        self.browser.until(lambda: "Rivers of Europe!" in self.titles())
        self.assertEqual(len(self.conversations()), 2)

    def test_every_action_has_a_key_that_the_help_shows(self):
        self.browser.leave_field()
        self.browser.press("?")
        self.browser.until(lambda: self.browser.one("#help").is_displayed())
        keys = [key.text for key in self.browser.all("#keys kbd")]
        self.assertEqual(len(keys), len(set(keys)))
        self.assertTrue({"p", "k", "s", "w", "c", "d", "[", "]", ",", "m", "x", "e", "g", "n", "/", "?"} <= set(keys))
        self.browser.click("#single-keys")
        self.browser.press(Keys.ESCAPE)
        self.browser.until(lambda: not self.browser.one("#help").is_displayed())
        # Switched off, letters do nothing, but the help is still to be had.
        self.browser.leave_field()
        self.browser.press("p")
        self.assertEqual(self.browser.script("return document.activeElement.id"), "")
        self.browser.press("?")
        self.browser.until(lambda: self.browser.one("#help").is_displayed())
        self.browser.click("#single-keys")

    def test_nothing_of_the_page_shuts_anybody_out(self):
        """axe-core's rules, with everything open, in both colour schemes, wide and narrow."""
        self.browser.type("a red house")
        self.browser.settle("a red house")
        self.browser.press(Keys.ENTER)
        self.say("Name a colour, in `code`.")
        self.answered(4)
        self.browser.leave_field()
        self.browser.press(",", Keys.ESCAPE)
        self.browser.press(Keys.ARROW_LEFT)
        axe = Axe()
        for scheme in ("light", "dark"):
            self.browser.command(
                "Emulation.setEmulatedMedia", features=[
                    {"name": "prefers-color-scheme", "value": scheme}, {"name": "prefers-reduced-motion", "value": "reduce"}])
            for width, help_is_open in ((1280, False), (1280, True), (400, False)):
                with self.subTest(scheme=scheme, width=width, help=help_is_open):
                    self.browser.command(
                        "Emulation.setDeviceMetricsOverride", width=width, height=860, deviceScaleFactor=1, mobile=False)
                    if help_is_open:
                        self.browser.script("document.getElementById('help').showModal()")
                    found = axe.run(self.browser.driver, options=RULES)
                    if help_is_open:
                        self.browser.script("document.getElementById('help').close()")
                    said = [(one["id"], [node["html"][:160] for node in one["nodes"]]) for one in found["violations"]]
                    self.assertEqual(said, [])
                    self.assertGreater(len(found["passes"]), 15)

    def test_nothing_sticks_out_to_the_side_from_360_to_2560_pixels(self):
        self.browser.type("a red house")
        self.browser.settle("a red house")
        self.browser.leave_field()
        self.browser.press(",", Keys.ESCAPE)
        for width in (360, 400, 760, 761, 1180, 1280, 1900, 2560):
            with self.subTest(width=width):
                self.browser.command(
                    "Emulation.setDeviceMetricsOverride", width=width, height=860, deviceScaleFactor=1, mobile=False)
                for view in ("picture", "chat"):
                    self.browser.script("document.querySelector(`.views [data-view=${arguments[0]}]`).click()", view)
                    reach = self.browser.script("""
                        const seen = [...document.querySelectorAll('body *')].filter(element => element.checkVisibility({
                          visibilityProperty: true}) && !element.closest('.strip, .skip, .visually-hidden, svg, option'));
                        return Math.max(...seen.map(element => element.getBoundingClientRect().right));""")
                    self.assertLessEqual(reach, width)
                    self.assertGreater(self.browser.script("return document.getElementById('stage').offsetWidth") or width, 300)


class Pictures(unittest.TestCase):
    def test_a_picture_that_the_model_paints_is_an_answer_like_others(self):
        daemon = self.enterContext(page_daemon(INKLING_CHAT_TEMPERATURE="0", INKLING_CHAT_PICTURES="true"))
        browser = self.enterContext(Browser(daemon))
        browser.begin()
        browser.click("#message")
        browser.press(
            'Repeat this text exactly: {"name": "imagine", "parameters": {"prompt": "a red fox in the snow"}}', Keys.ENTER)
        browser.until(lambda: browser.all(".message.assistant img.shown"), "the picture")
        self.assertIn("Again", browser.one(".message.assistant").text)
        self.assertIn("Edit", browser.one(".message.user").text)


if __name__ == "__main__":
    unittest.main()
