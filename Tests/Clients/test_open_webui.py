"""Open WebUI's calls, written from the source of its package, open-webui 0.12.4.

Its server is not run here; each call is what the named lines of open_webui/routers send and read, with their headers.
"""

import base64
import http.client
import json
import os
import re
import tempfile
import unittest
from datetime import datetime

from daemon import MODEL, Daemon
from test_images import MODEL as PAINTER
from test_images import png_size

NAME = "SmolLM2-135M-Instruct.Q4_1:latest"


class OpenWebUI(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = cls.enterClassContext(tempfile.TemporaryDirectory(prefix="ink-models-"))
        os.symlink(MODEL, f"{folder}/SmolLM2-135M-Instruct.Q4_1.gguf")
        os.symlink(PAINTER, f"{folder}/painter")
        cls.daemon = cls.enterClassContext(
            Daemon(["--listen", "127.0.0.1:0", "--no-key"], INKLING_MODELS_DIRECTORIES=folder))

    def send(self, method, path, body=None, headers={}):
        connection = http.client.HTTPConnection(self.daemon.address.removeprefix("http://"), timeout=120)
        self.addCleanup(connection.close)
        connection.request(method, path, json.dumps(body) if body is not None else None,
                           {"Content-Type": "application/json", **headers})
        response = connection.getresponse()
        text = response.read().decode()
        self.assertEqual(response.status, 200, text)
        return response, text

    def json(self, *request, **more):
        return json.loads(self.send(*request, **more)[1])

    def test_models_are_found_and_told_with_their_expiry(self):
        # ollama.py:255 verifies, :596 takes the lowest version of all backends
        version = self.json("GET", "/api/version")["version"]
        self.assertEqual(len(tuple(map(int, re.sub(r"^v|-.*", "", version).split(".")))), 3)
        # ollama.py:398 and :527 read entries by `model`, and `expires_at`
        self.json("POST", "/api/generate", {"model": NAME})
        models = {model["model"]: model for model in self.json("GET", "/api/tags")["models"]}
        self.assertIn(NAME, models)
        loaded = {model["model"]: model["expires_at"] for model in self.json("GET", "/api/ps")["models"]}
        self.assertGreater(datetime.fromisoformat(loaded[NAME]).timestamp(), 0)
        # ollama.py:890
        self.assertIn("completion", self.json("POST", "/api/show", {"model": NAME})["capabilities"])
        # ollama.py:641-644
        unloaded = self.json("POST", "/api/generate", {"model": NAME, "keep_alive": 0, "prompt": ""})
        self.assertEqual(unloaded["done_reason"], "unload")

    def test_a_chat_is_streamed(self):
        # ollama.py:1195-1203; utils/response.py:232 reads each line
        payload = {"model": NAME, "messages": [{"role": "user", "content": "What is the capital of France?"}],
                   "options": {"temperature": 0.0, "num_predict": 32, "num_ctx": 4096}, "stream": True,
                   "keep_alive": "5m"}
        response, text = self.send("POST", "/api/chat", payload)
        self.assertEqual(response.getheader("Content-Type"), "application/x-ndjson")
        *parts, last = [json.loads(line) for line in text.splitlines()]
        self.assertIn("Paris", "".join(part["message"]["content"] for part in parts))
        self.assertTrue(last["done"])
        for name in ("total_duration", "load_duration", "prompt_eval_count", "prompt_eval_duration", "eval_count",
                     "eval_duration"):
            self.assertGreaterEqual(last[name], 0)

    def test_texts_become_vectors(self):
        # ollama.py:945
        vectors = self.json("POST", "/api/embed", {"model": NAME, "input": ["ink", "sea"]})["embeddings"]
        self.assertEqual([len(vector) for vector in vectors], [576, 576])

    def test_pictures_by_the_api_of_a1111(self):
        headers = {"authorization": ""}
        # images.py:344 verifies, :215 asks which model it is
        options = self.json("GET", "/sdapi/v1/options", headers=headers)
        self.assertIn("sd_model_checkpoint", options)
        # images.py:424-431
        models = self.json("GET", "/sdapi/v1/sd-models", headers=headers)
        title = next(model["title"] for model in models if model["model_name"] == "painter")
        # images.py:183-196: all options go back with one changed
        options["sd_model_checkpoint"] = title
        self.send("POST", "/sdapi/v1/options", options, headers)
        self.assertEqual(self.json("GET", "/sdapi/v1/options", headers=headers)["sd_model_checkpoint"], title)
        # images.py:826-842
        answer = self.json("POST", "/sdapi/v1/txt2img", {
            "prompt": "a fox", "batch_size": 2, "width": 64, "height": 64, "steps": 4, "negative_prompt": "blurry",
        }, headers)
        self.assertEqual([png_size(base64.b64decode(image)) for image in answer["images"]], [(64, 64)] * 2)
        self.assertEqual(json.loads(answer["info"])["sd_model_name"], title)

    def test_pictures_by_the_api_of_openai(self):
        # images.py:636-668: a key is sent though none is needed
        answer = self.json("POST", "/v1/images/generations", {
            "model": "painter", "prompt": "a fox", "n": 1, "size": "64x64", "response_format": "b64_json", "steps": 4,
        }, {"Authorization": "Bearer none"})
        self.assertEqual(png_size(base64.b64decode(answer["data"][0]["b64_json"])), (64, 64))


if __name__ == "__main__":
    unittest.main()
