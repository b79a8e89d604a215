"""Models in memory as a person sees them: `inkling ps` and `inkling stop`, with the real default models."""

import json
import subprocess
import unittest

from daemon import BIN, Daemon


class MemoryTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.daemon = cls.enterClassContext(Daemon())

    def inkling(self, *arguments):
        return subprocess.run([f"{BIN}/inkling", *arguments], env=self.daemon.environment, capture_output=True, text=True)

    def test_models_are_listed_while_they_are_in_memory_and_can_be_stopped(self):
        status, _ = self.daemon.request("POST", "/v1/completions", {"prompt": "ink", "max_tokens": 2, "keep_alive": "2h"})
        self.assertEqual(status, 200)
        listed = self.inkling("ps")
        self.assertEqual(listed.returncode, 0, listed.stderr)
        lines = listed.stdout.splitlines()
        self.assertEqual(lines[0].split(), ["NAME", "KIND", "SIZE", "UNTIL"])
        self.assertIn("chat", lines[1])
        self.assertRegex(lines[1], r"\(in (2 h|120 min)\)$")
        self.assertRegex(lines[-1], r"^\d.* of \d.*: weights \d")

        report = json.loads(self.inkling("ps", "--json").stdout)
        self.assertEqual(len(report["models"]), 1)
        self.assertEqual(sum(share["bytes"] for share in report["memory"]), report["used"])
        self.assertLess(report["used"], report["budget"])

        name = report["models"][0]["id"]
        self.assertEqual(self.inkling("stop", name).returncode, 0)
        self.assertEqual(json.loads(self.inkling("ps", "--json").stdout)["models"], [])
        again = self.inkling("stop", name)
        self.assertEqual(again.returncode, 1)
        self.assertIn("not in memory", again.stderr)


if __name__ == "__main__":
    unittest.main()
