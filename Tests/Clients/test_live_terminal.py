"""Pictures that follow the typing, as a person types them: in pseudo-terminals of several kinds, and in pipes."""

import base64
import os
import pathlib
import re
import signal
import subprocess
import tempfile
import termios
import unittest

import pexpect
import pyte

from daemon import BIN, Daemon, with_default_signals

# A tiny model with random weights: what it paints is noise, but painted by every part of the engine.
MODEL = pathlib.Path(__file__).parents[1] / "StableDiffusionTests/Fixtures/models/sd15"
SETTINGS = ("--size", "64", "--steps", "4")


class Screen:
    """What a person sees of a client's terminal, of which only changes are written."""

    def __init__(self, client):
        rows, columns = client.getwinsize()
        self.client, self.screen = client, pyte.Screen(columns, rows)
        self.stream = pyte.Stream(self.screen)

    def wait_for(self, pattern):
        while not re.search(pattern, "\n".join(self.screen.display)):
            self.stream.feed(self.client.read_nonblocking(4096, timeout=60))


class Live(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        os.environ["INKLING_PICTURE_MODEL"] = str(MODEL)
        cls.addClassCleanup(os.environ.pop, "INKLING_PICTURE_MODEL")
        cls.daemon = cls.enterClassContext(Daemon())

    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))

    def spawn(self, *arguments, command="live", rows=30, columns=80, **variables):
        """A client on a terminal that shows pictures as the arguments say."""
        environment = dict(self.daemon.environment, TERM="xterm-256color", COLORTERM="truecolor", **variables)
        client = pexpect.spawn(
            f"{BIN}/inkling", [command, *arguments], env=environment, encoding="utf-8", cwd=self.folder,
            dimensions=(rows, columns), timeout=60, preexec_fn=with_default_signals)
        self.addCleanup(client.close, force=True)
        return client

    def live(self, kind, *arguments, **options):
        client = self.spawn("--graphics", kind, *SETTINGS, *arguments, **options)
        client.expect(">>> ")
        return client

    def seen(self, *arguments, kind="none"):
        """A client, by default without pictures, and what is seen of it."""
        client = self.spawn("--graphics", kind, *SETTINGS, *arguments)
        return client, Screen(client)

    def leave(self, client, key="\x04"):
        client.send(key)
        client.expect(pexpect.EOF)
        client.close()
        self.assertEqual(client.exitstatus, 0)

    def names(self):
        return sorted(path.name for path in self.folder.iterdir())

    def modes(self, client):
        return termios.tcgetattr(client.child_fd)[3]

    def test_the_picture_follows_the_words_and_enter_keeps_it(self):
        client = self.live("blocks")
        client.send("a fox")
        client.expect("\u2580")
        client.expect(r"\d+ frame")
        client.send(" reading\r")
        client.expect(r"a-fox-reading-0\.png  64×64 .*seed 0")
        client.expect(">>> ")
        self.leave(client)
        self.assertEqual(self.names(), ["a-fox-reading-0.png"])

    def test_the_kept_picture_is_the_one_that_imagine_paints(self):
        client = self.live("none", "--seed", "5")
        client.send("a hen\r")
        client.expect(r"a-hen-5\.png")
        self.leave(client)
        painted = subprocess.run(
            [f"{BIN}/inkling", "imagine", "a hen", *SETTINGS, "--seed", "5", "-o", "painted.png", "--quiet"],
            cwd=self.folder, env=self.daemon.environment, timeout=60)
        self.assertEqual(painted.returncode, 0)
        self.assertEqual(
            (self.folder / "a-hen-5.png").read_bytes(), (self.folder / "painted.png").read_bytes())

    def test_kitty_gets_every_frame_under_one_number_in_one_place(self):
        client = self.live("kitty")
        frames = ""
        for text in ("a fox", "es"):
            client.send(text)
            client.expect(r"\x1b_Ga=T[^\x1b]*\x1b")
            frames += client.before + client.after
        self.leave(client, "\x03")
        heads = re.findall(r"\x1b_Ga=T,([^;]*),q=2,m=\d;([^\x1b]*)", frames)
        self.assertGreaterEqual(len(heads), 2)
        self.assertEqual(len({keys for keys, _ in heads}), 1, heads)
        for _, data in heads:
            self.assertEqual(base64.b64decode(data[:8])[:4], b"\x89PNG")

    def test_sixel_and_iterm_draw_too(self):
        for kind, mark in (("sixel", "\x1bP0;1;0q"), ("iterm", r"\x1b\]1337;File=inline=1")):
            with self.subTest(kind):
                client = self.live(kind)
                client.send("fox")
                client.expect(mark)
                client.expect(r"\d+ frame")
                self.leave(client, "\x03")

    def test_a_resized_window_is_drawn_anew_and_a_small_one_has_no_picture(self):
        client, screen = self.seen("a fox", kind="blocks")
        # Then nothing more is written of its own accord.
        screen.wait_for("\u2580(.|\n)*settled  key to frame")
        client.setwinsize(20, 40)
        Screen(client).wait_for("\u2580(.|\n)*>>> a fox *\n64×64 settled  key")
        client.setwinsize(5, 40)
        client.expect(r"\x1b\[J")
        client.send("es")
        # Of a row only what changed is written; in a window of another size all of it is.
        client.setwinsize(4, 40)
        client.expect(r"key to frame [\d.]+ m?s")
        self.assertNotIn("\u2580", client.before)
        self.leave(client, "\x03")

    def test_page_up_brings_an_earlier_frame_back_and_enter_keeps_it_exactly(self):
        client, screen = self.seen("a fox")
        screen.wait_for("settled  key to frame")
        client.send(" in the snow")
        client.send("\x1b[5~" * 20)
        screen.wait_for(r"frame \d+ of \d+  64×64 settled  seed 0  a fox ")
        client.send("\r")
        screen.wait_for(r"a-fox-0\.png")
        # What was typed stays, with its picture.
        screen.wait_for(r"\.png(.|\n)*>>> a fox in the snow *\n64×64 settled")
        self.leave(client, "\x03")
        painted = subprocess.run(
            [f"{BIN}/inkling", "imagine", "a fox", *SETTINGS, "--seed", "0", "-o", "painted.png", "--quiet"],
            cwd=self.folder, env=self.daemon.environment, timeout=60)
        self.assertEqual(painted.returncode, 0)
        self.assertEqual(
            (self.folder / "a-fox-0.png").read_bytes(), (self.folder / "painted.png").read_bytes())

    def test_alt_e_puts_the_chat_models_words_behind_ones_own(self):
        client, screen = self.seen("a fox")
        screen.wait_for("settled")
        client.send("\x1be")
        screen.wait_for(">>> a fox, [a-z]")
        client.send("\x1f!")
        screen.wait_for(">>> a fox! ")
        self.leave(client, "\x03")

    def test_without_colours_and_pictures_the_words_remain(self):
        client = self.spawn(*SETTINGS, NO_COLOR="1")
        client.expect(">>> ")
        client.send("a fox\r")
        client.expect(r"a-fox-0\.png")
        self.assertNotRegex(client.before, r"\x1b\[[0-9;]*m|\u2580")
        self.leave(client)

    def test_the_terminal_is_as_before_after_a_crash_and_after_a_signal(self):
        for number in (signal.SIGSEGV, signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
            with self.subTest(number):
                client = self.live("blocks")
                client.send("a fox")
                client.expect("\u2580")
                self.assertFalse(self.modes(client) & termios.ICANON)
                client.kill(number)
                client.expect(pexpect.EOF)
                self.assertTrue(self.modes(client) & termios.ICANON and self.modes(client) & termios.ECHO)

    def test_a_daemon_that_was_restarted_paints_on(self):
        client = self.live("blocks")
        client.send("a fox")
        client.expect(r"\d+ frame")
        self.daemon.stop()
        client.expect("the daemon is gone")
        self.daemon.start()
        client.send("es")
        client.expect("\u2580")
        client.send("\r")
        client.expect(r"a-foxes-0\.png")
        self.leave(client)

    def test_a_pipe_gets_a_picture_a_line(self):
        done = subprocess.run(
            [f"{BIN}/inkling", "live", *SETTINGS], input=b"a fox\n\na hen\n", capture_output=True,
            cwd=self.folder, env=self.daemon.environment, timeout=60)
        self.assertEqual((done.returncode, done.stderr), (0, b""))
        self.assertEqual(done.stdout, b"a-fox-0.png\na-hen-0.png\n")
        self.assertEqual(self.names(), ["a-fox-0.png", "a-hen-0.png"])

    def test_a_file_is_no_folder(self):
        done = subprocess.run(
            [f"{BIN}/inkling", "live", "-o", "fox.png"], capture_output=True, cwd=self.folder,
            env=self.daemon.environment, timeout=60)
        self.assertEqual(done.returncode, 64)
        self.assertRegex(done.stderr, rb"\Ainkling: .*takes a folder.*\n\Z")

    def test_imagine_in_a_chat_puts_the_picture_into_the_conversation(self):
        client = self.spawn("--graphics", "blocks", command="chat", rows=40)
        client.expect(">>> ")
        client.send("/imagine a fox")
        client.expect("\u2580")
        client.send("\r")
        client.expect(r"picture \S+  \d+×\d+")
        client.expect(">>> ")
        client.send("/edit\r")
        client.expect("edit> /imagine a fox")
        # The same words, which the daemon paints no second time, have their picture.
        client.expect("\u2580")
        client.send("es\r")
        client.expect(r"picture \S+  \d+×\d+")
        client.expect(">>> ")
        self.leave(client)
        _, found = self.daemon.request("GET", "/inkling/v1/conversations?limit=1")
        _, transcript = self.daemon.request(
            "GET", f"/inkling/v1/conversations/{found['conversations'][0]['id']}")
        question, answer = transcript["messages"]
        self.assertEqual(question["content"], "/imagine a foxes")
        self.assertEqual(question["sibling_count"], 2)
        self.assertEqual(answer["content"], "picture: a foxes")
        status, picture = self.daemon.request("GET", f"/inkling/v1/pictures/{answer['picture']}?recipe=true")
        self.assertEqual((status, picture["recipe"]["prompt"]), (200, "a foxes"))
        shown = self.spawn("show", "last", "--graphics", "blocks", command="history")
        for part in (">>> /imagine a foxes\r\n", "\u2580", "picture: a foxes\r\n", pexpect.EOF):
            shown.expect(part)


if __name__ == "__main__":
    unittest.main()
