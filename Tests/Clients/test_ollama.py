"""The unmodified ollama client against the daemon, over loopback and over its socket."""

import base64
import http.client
import json
import os
import tempfile
import time
import unittest

import httpx
import jsonschema
import ollama

from daemon import MODEL, Daemon
from test_images import MODEL as PAINTER
from test_images import png_size
from test_tools import WEATHER

NAME = "SmolLM2-135M-Instruct.Q4_1:latest"
QUESTION = [{"role": "user", "content": "What is the capital of France? Answer in one short sentence."}]


class OllamaClient(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = cls.enterClassContext(tempfile.TemporaryDirectory(prefix="ink-models-"))
        os.symlink(MODEL, f"{folder}/SmolLM2-135M-Instruct.Q4_1.gguf")
        os.symlink(PAINTER, f"{folder}/painter")
        cls.daemon = cls.enterClassContext(
            Daemon(["--listen", "127.0.0.1:0", "--no-key"], INKLING_MODELS_DIRECTORIES=folder))
        cls.client = ollama.Client(host=cls.daemon.address, timeout=120)

    def ask(self, **changes):
        settings = dict(model=NAME, messages=QUESTION, options={"temperature": 0, "num_predict": 24})
        return self.client.chat(**{**settings, **changes})

    def raw(self, method, path, body=None, headers={}):
        connection = http.client.HTTPConnection(self.daemon.address.removeprefix("http://"), timeout=60)
        self.addCleanup(connection.close)
        connection.request(method, path, json.dumps(body) if body is not None else None,
                           {"Content-Type": "application/json", **headers})
        response = connection.getresponse()
        return response, response.read()

    def post(self, path, body):
        response, answer = self.raw("POST", path, body)
        return response.status, json.loads(answer)

    def test_the_probes_find_it_running(self):
        for path in ("/", "/api/version", "/api/tags"):
            response, body = self.raw("HEAD", path)
            self.assertEqual((response.status, body), (200, b""))
        self.assertEqual(self.raw("GET", "/")[1], b"Ollama is running")
        self.assertRegex(json.loads(self.raw("GET", "/api/version")[1])["version"], r"^\d+\.\d+\.\d+$")

    def test_an_answer_is_json_by_a_schema_where_one_is_asked_for(self):
        schema = {"type": "object", "properties": {"city": {"type": "string", "maxLength": 20}, "big": {"type": "boolean"}},
                  "required": ["city", "big"], "additionalProperties": False}
        options = {"temperature": 0, "num_predict": 80}
        jsonschema.validate(json.loads(self.ask(format=schema, options=options).message.content), schema)
        generated = self.client.generate(NAME, "A city?", format=schema, options=options)
        jsonschema.validate(json.loads(generated.response), schema)
        free = self.ask(format="json", options={"temperature": 0, "num_predict": 200})
        if free.done_reason == "stop":
            self.assertIsInstance(json.loads(free.message.content), dict)
        for format in ("yaml", {"type": "string", "pattern": "(?=a)"}):
            with self.assertRaisesRegex(ollama.ResponseError, "format|pattern") as caught:
                # The client's own types let no other word than json through.
                status, body = self.post("/api/chat", {"model": NAME, "messages": QUESTION, "format": format})
                raise ollama.ResponseError(body["error"], status)
            self.assertEqual(caught.exception.status_code, 400)

    def test_functions_are_called_with_arguments_as_objects(self):
        call = {"model": NAME, "messages": QUESTION, "tools": [WEATHER], "options": {"temperature": 0, "num_predict": 80},
                "tool_choice": "required"}
        status, whole = self.post("/api/chat", {**call, "stream": False})
        self.assertEqual(status, 200, whole)
        message = ollama.ChatResponse(**whole).message
        self.assertEqual(message.tool_calls[0].function.name, "get_weather")
        jsonschema.validate(message.tool_calls[0].function.arguments, WEATHER["function"]["parameters"])
        response, body = self.raw("POST", "/api/chat", call)
        lines = [json.loads(line) for line in body.splitlines()]
        told = [line["message"]["tool_calls"] for line in lines if "tool_calls" in line["message"]]
        self.assertEqual(told, [whole["message"]["tool_calls"]])
        self.assertEqual((lines[-1]["done"], lines[-1]["done_reason"]), (True, "stop"))

    def test_what_a_function_returned_is_read_by_the_unmodified_client(self):
        def get_weather(city: str) -> str:
            """The weather in a city.

            Args:
                city: Its name.
            """

        messages = QUESTION + [
            {"role": "assistant", "content": "", "tool_calls": [
                {"function": {"name": "get_weather", "arguments": {"city": "Paris"}}}]},
            {"role": "tool", "tool_name": "get_weather", "content": "rain, 7 degrees"}]
        with_tools = self.ask(messages=messages, tools=[get_weather])
        self.assertEqual(with_tools.message.role, "assistant")
        without = self.ask(messages=messages[:1], tools=[get_weather])
        self.assertGreater(with_tools.prompt_eval_count, without.prompt_eval_count + 10)

    def test_models_are_listed_and_described(self):
        models = {model.model: model for model in self.client.list().models}
        self.assertEqual(models[NAME].details.family, "llama")
        self.assertEqual(models[NAME].details.quantization_level, "Q4_1")
        # The weights alone: the vocabulary lies in the same file.
        self.assertAlmostEqual(models[NAME].size / os.path.getsize(MODEL), 1, delta=0.05)
        self.assertIn("painter:latest", models)
        shown = self.client.show(NAME)
        self.assertIn("completion", shown.capabilities)
        self.assertEqual(shown.modelinfo["llama.context_length"], 8192)
        self.assertIn("<|im_end|>", shown.parameters)
        self.assertIn("<|im_start|>", shown.template)
        self.assertEqual(self.client.show("painter").capabilities, ["image"])

    def test_an_answer_comes_whole(self):
        answer = self.ask()
        self.assertIn("Paris", answer.message.content)
        self.assertEqual((answer.model, answer.done, answer.done_reason), (NAME, True, "stop"))
        self.assertGreaterEqual(answer.total_duration, answer.prompt_eval_duration + answer.eval_duration)
        self.assertGreater(answer.eval_duration, 10_000)  # nanoseconds
        self.assertGreater(answer.eval_count, 2)

    def test_a_stream_says_the_same(self):
        *parts, last = self.ask(stream=True)
        self.assertEqual("".join(part.message.content for part in parts), self.ask().message.content)
        self.assertFalse(any(part.done for part in parts))
        self.assertEqual((last.done, last.done_reason, last.message.content), (True, "stop", ""))

    def test_names_have_neither_case_nor_tag(self):
        for name in ("smollm2-135m-instruct", "SmolLM2-135M-Instruct:latest", MODEL, MODEL + ":latest"):
            self.assertIn("Paris", self.ask(model=name).message.content)

    def test_options_count(self):
        short = self.ask(options={"num_predict": 2, "num_gpu": 3, "num_ctx": 1024})
        self.assertEqual((short.eval_count, short.done_reason), (2, "length"))
        answers = {self.ask(options={"temperature": 1.5, "seed": 7, "num_predict": 16}).message.content for _ in "ab"}
        self.assertEqual(len(answers), 1)
        self.assertNotIn("Paris", self.ask(options={"temperature": 0, "stop": ["Paris"]}).message.content)

    def test_a_prompt_goes_on_from_its_context(self):
        options = {"temperature": 0, "num_predict": 32}
        first = self.client.generate(NAME, "My dog is called Rex. Greet it.", system="You are kind.", options=options)
        second = self.client.generate(NAME, "What is my dog called?", context=first.context, options=options)
        self.assertEqual(second.context[:len(first.context)], first.context)
        self.assertIn("Rex", second.response)

    def test_a_raw_prompt_is_completed(self):
        answer = self.client.generate(NAME, "The capital of France is", raw=True, options={"temperature": 0, "num_predict": 4})
        self.assertIn("Paris", answer.response)
        self.assertIsNone(answer.context)

    def test_probabilities(self):
        answer = self.ask(logprobs=True, top_logprobs=2)
        self.assertEqual("".join(token.token for token in answer.logprobs), answer.message.content)
        self.assertEqual({len(token.top_logprobs) for token in answer.logprobs}, {2})

    def test_texts_become_vectors(self):
        one, other = self.client.embed(NAME, ["The sea is blue.", "The sea is blue."]).embeddings
        self.assertEqual(one, other)
        self.assertAlmostEqual(sum(value * value for value in one), 1, places=4)
        self.assertEqual(self.client.embed(NAME, "The sea is blue.").embeddings[0], one)
        self.assertEqual(self.client.embeddings(NAME, "The sea is blue.").embedding, one)
        self.assertEqual(len(self.client.embed(NAME, "The sea is blue.", dimensions=64).embeddings[0]), 64)

    def test_models_come_stay_and_go(self):
        self.assertEqual(self.client.generate(NAME, keep_alive="2h").done_reason, "load")
        loaded = {model.model: model for model in self.client.ps().models}
        self.assertGreater(loaded[NAME].expires_at.timestamp() - time.time(), 3600)
        self.assertGreater(loaded[NAME].context_length, 1000)
        self.assertEqual(self.client.chat(NAME, keep_alive=0).done_reason, "unload")
        self.assertNotIn(NAME, [model.model for model in self.client.ps().models])

    def test_a_picture_is_painted(self):
        settings = dict(model="painter", prompt="a fox", width=64, height=64, steps=4, options={"seed": 42})
        *parts, last = self.client.generate(**settings, stream=True)
        # The model's own scheduler takes its first step twice.
        self.assertEqual([part.completed for part in parts], [1, 2, 3, 4, 5])
        self.assertEqual({part.total for part in parts}, {5})
        self.assertEqual(png_size(base64.b64decode(last.image)), (64, 64))
        self.assertEqual((last.done, last.done_reason), (True, "stop"))
        self.assertEqual(self.client.generate(**settings).image, last.image)

    def test_refusals_say_what_is_wrong(self):
        with self.assertRaises(ollama.ResponseError) as caught:
            self.ask(model="no-such-model")
        self.assertEqual(caught.exception.status_code, 404)
        self.assertIn("no-such-model", caught.exception.error)
        with self.assertRaisesRegex(ollama.ResponseError, "think"):
            self.ask(think=True)
        with self.assertRaisesRegex(ollama.ResponseError, "cannot see"):
            self.ask(messages=[{"role": "user", "content": "What is this?", "images": [b"\x89PNG"]}])
        with self.assertRaisesRegex(ollama.ResponseError, "options.mirostat"):
            self.ask(options={"mirostat": 1})

    def test_a_client_that_leaves_frees_the_engine(self):
        stream = self.ask(stream=True, options={"num_predict": 2000}, messages=[{"role": "user", "content": "Count to 500."}])
        next(stream)
        stream.close()
        self.assertIn("Paris", self.ask().message.content)

    def test_the_socket_does_the_same(self):
        with ollama.Client(host="http://localhost", transport=httpx.HTTPTransport(uds=self.daemon.socket)) as client:
            self.assertIn("Paris", client.chat(NAME, QUESTION, options={"temperature": 0}).message.content)


if __name__ == "__main__":
    unittest.main()
