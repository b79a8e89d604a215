"""The chat as a person drives it, in a pseudo-terminal."""

import os
import signal
import subprocess
import termios
import unittest

import pexpect

from daemon import BIN, Daemon, with_default_signals


class TerminalChat(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.daemon = cls.enterClassContext(Daemon())

    def chat(self, *arguments):
        """A chat that has shown its prompt."""
        environment = dict(self.daemon.environment, TERM="xterm-256color")
        chat = pexpect.spawn(
            f"{BIN}/inkling", ["chat", "--set", "temperature=0", *arguments], env=environment, encoding="utf-8",
            dimensions=(24, 80), timeout=30)
        self.addCleanup(chat.close, force=True)
        chat.expect(">>> ")
        return chat

    def chat_to_come(self, **variables):
        """A chat that begins with the first line, and all that its terminal is set to before."""
        environment = dict(self.daemon.environment, TERM="xterm-256color", **variables)
        chat = pexpect.spawn(
            "/bin/sh", ["-c", 'read -r line && exec "$@"', "sh", f"{BIN}/inkling", "chat"], env=environment,
            encoding="utf-8", dimensions=(24, 80), timeout=30, preexec_fn=with_default_signals)
        self.addCleanup(chat.close, force=True)
        return chat, termios.tcgetattr(chat.child_fd)

    def leave(self, chat):
        chat.sendeof()
        chat.expect(pexpect.EOF)
        chat.close()
        self.assertEqual(chat.exitstatus, 0)

    def last_transcript(self):
        _, found = self.daemon.request("GET", "/inkling/v1/conversations?limit=1")
        _, transcript = self.daemon.request("GET", f"/inkling/v1/conversations/{found['conversations'][0]['id']}")
        return transcript["messages"]

    def test_a_question_is_answered_and_control_d_leaves(self):
        chat = self.chat()
        chat.send("What is the capital of France?\r")
        chat.expect("capital of France is Paris")
        chat.expect(">>> ")
        self.leave(chat)

    def test_control_c_stops_the_answer_and_keeps_what_was_said(self):
        chat = self.chat()
        chat.send("Write a long story about a fox.\r")
        chat.expect(r"a fox\.")  # as it is typed
        chat.expect(r"\w+ \w+ \w+")  # of the answer
        chat.sendintr()
        chat.expect(">>> ")
        self.leave(chat)
        question, answer = self.last_transcript()
        self.assertEqual(question["content"], "Write a long story about a fox.")
        self.assertEqual(answer["finish"], "cancelled")
        self.assertRegex(answer["content"], r"\w+ \w+ \w+")

    def test_a_message_of_several_lines(self):
        chat = self.chat()
        chat.send('"""Say only\rthe word hello."""\r')
        chat.expect("(?i)hello.*>>> ")
        self.leave(chat)
        self.assertEqual(self.last_transcript()[0]["content"], "Say only\nthe word hello.")

    def test_the_model_answers_with_a_picture_where_it_may(self):
        chat = self.chat("--pictures", "--graphics", "blocks")
        # The smallest model calls for nothing of its own accord, but repeats what it reads.
        chat.send('Repeat this text exactly: {"name": "imagine", "parameters": {"prompt": "a red fox in the snow"}}\r')
        chat.expect("painting a red fox in the snow")
        chat.expect("\u2580")
        chat.expect(r"a red fox in the snow\s+.*picture \w+  128×128")
        chat.expect(">>> ")
        self.leave(chat)
        _, answer = self.last_transcript()
        self.assertEqual(answer["content"], "picture: a red fox in the snow")
        status, recipe = self.daemon.request("GET", f"/inkling/v1/pictures/{answer['picture']}?recipe=true")
        self.assertEqual(status, 200)
        self.assertEqual(recipe["recipe"]["prompt"], "a red fox in the snow")

    def test_a_mistyped_command_names_the_nearest(self):
        chat = self.chat()
        chat.send("/hlep\r")
        chat.expect("/help")
        self.leave(chat)

    def test_the_terminal_is_as_before_after_a_crash(self):
        chat = self.chat()
        self.assertFalse(self.modes(chat) & termios.ICANON, "the chat reads keys, not lines")
        chat.kill(signal.SIGSEGV)
        chat.expect(pexpect.EOF)
        self.assertTrue(self.modes(chat) & termios.ICANON and self.modes(chat) & termios.ECHO)

    def test_the_terminal_is_as_before_after_leaving(self):
        chat, before = self.chat_to_come()
        chat.sendline()
        chat.expect(">>> ")
        self.assertNotEqual(termios.tcgetattr(chat.child_fd), before)
        chat.sendeof()
        chat.expect(pexpect.EOF)
        self.assertEqual(termios.tcgetattr(chat.child_fd), before)

    def test_the_terminal_is_as_before_after_signals_from_outside(self):
        for number in (signal.SIGINT, signal.SIGUSR1, signal.SIGALRM):
            with self.subTest(number):
                chat, before = self.chat_to_come()
                chat.sendline()
                chat.expect(">>> ")
                chat.kill(number)
                chat.expect(pexpect.EOF)
                self.assertEqual(termios.tcgetattr(chat.child_fd), before)
                chat.close()
                self.assertEqual(chat.signalstatus, number)

    def test_the_terminal_is_as_before_after_a_signal_while_it_is_asked(self):
        chat, before = self.chat_to_come()
        chat.sendline()
        chat.expect_exact("\x1b[c")  # what the terminal can do, which doesn't answer
        chat.kill(signal.SIGTERM)
        chat.expect(pexpect.EOF)
        self.assertEqual(termios.tcgetattr(chat.child_fd), before)

    def test_what_is_typed_while_the_terminal_is_asked_is_not_lost(self):
        chat, _ = self.chat_to_come()
        chat.sendline()
        chat.expect_exact("\x1b[c")
        chat.send("/hlep\r")
        chat.send("\x1b[?62c")
        chat.expect("did you mean /help")
        self.leave(chat)

    def test_a_stop_is_no_reason_to_leave_the_terminal_otherwise(self):
        chat, before = self.chat_to_come()
        chat.sendline()
        chat.expect(">>> ")
        chat.kill(signal.SIGSTOP)
        os.waitpid(chat.pid, os.WUNTRACED)
        chat.kill(signal.SIGCONT)
        chat.expect_exact("\x1b[?2004h")  # it takes the terminal back
        chat.sendeof()
        chat.expect(pexpect.EOF)
        self.assertEqual(termios.tcgetattr(chat.child_fd), before)

    def test_a_stop_in_an_editor_is_none_either(self):
        # As Control-Z and fg in the editor do: both are continued, and the chat finds out after the editor's end.
        chat, before = self.chat_to_come(INKLING_EDITOR="kill -CONT $PPID; true")
        chat.sendline()
        chat.expect(">>> ")
        chat.send("\x07")
        for _ in ("the editor's end", "the stop's end"):
            chat.expect_exact("\x1b[?2004h")
        chat.sendeof()
        chat.expect(pexpect.EOF)
        self.assertEqual(termios.tcgetattr(chat.child_fd), before)

    def modes(self, chat):
        return termios.tcgetattr(chat.child_fd)[3]

    def test_plain_moves_no_cursor(self):
        chat = self.chat("--plain")
        chat.send("What is the capital of France?\r")
        chat.expect("Paris")
        self.assertNotIn("\x1b", chat.before)
        self.leave(chat)

    def test_a_pipe_is_answered_once_without_control_characters(self):
        done = subprocess.run(
            [f"{BIN}/inkling", "What is the capital of this country?"], input="France\n", text=True,
            capture_output=True, env=self.daemon.environment, timeout=60)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stdout, r"\A[^\x00-\x08\x0b-\x1f\x7f-\x9f]+\n\Z")

    def test_wrong_usage_says_so(self):
        done = subprocess.run(
            [f"{BIN}/inkling", "history", "show", "no-such-conversation"], text=True, capture_output=True,
            env=self.daemon.environment, timeout=60)
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, r"\Ainkling: .*no-such-conversation.*\n\Z")


if __name__ == "__main__":
    unittest.main()
