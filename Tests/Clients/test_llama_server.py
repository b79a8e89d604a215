"""llama-server's own routes, called as its README and the programs written for it call them, over the socket."""

import json
import os
import tempfile
import unittest

from daemon import MODEL, Daemon, UnixConnection
from test_images import MODEL as PAINTER

NAME = "SmolLM2-135M-Instruct.Q4_1"
MESSAGES = [{"role": "user", "content": "What is the capital of France? Answer in one short sentence."}]


class LlamaServer(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = cls.enterClassContext(tempfile.TemporaryDirectory(prefix="ink-models-"))
        os.symlink(MODEL, f"{folder}/{NAME}.gguf")
        os.symlink(PAINTER, f"{folder}/painter")
        cls.daemon = cls.enterClassContext(Daemon(INKLING_MODELS_DIRECTORIES=folder))

    def json(self, method, path, body=None):
        status, answer = self.daemon.request(method, path, body)
        self.assertEqual(status, 200, answer)
        return answer

    def complete(self, prompt="The capital of France is", **options):
        return self.json("POST", "/completion", {"prompt": prompt, "n_predict": 8, "temperature": 0, **options})

    def stream(self, **body):
        connection = UnixConnection(self.daemon.socket)
        self.addCleanup(connection.close)
        connection.request("POST", "/completion", json.dumps({**body, "stream": True}),
                           {"Content-Type": "application/json"})
        response = connection.getresponse()
        self.assertEqual(response.status, 200)
        lines = response.read().decode().split("\n\n")
        # Readers cut off "data: " and parse the rest; none may be left that is no JSON.
        return [json.loads(line.removeprefix("data: ")) for line in lines if line and not line.startswith(":")]

    def test_health(self):
        for path in ("/health", "/v1/health"):
            self.assertEqual(self.json("GET", path)["status"], "ok")

    def test_a_completion(self):
        answer = self.complete()
        self.assertIn("Paris", answer["content"])
        self.assertEqual((answer["stop"], answer["stop_type"], answer["stopping_word"]), (True, "limit", ""))
        self.assertEqual((answer["tokens_predicted"], answer["prompt"]), (8, "The capital of France is"))
        self.assertEqual(answer["generation_settings"]["n_predict"], 8)
        self.assertEqual(answer["tokens"], [])
        for name in ("prompt_n", "prompt_ms", "prompt_per_token_ms", "prompt_per_second",
                     "predicted_n", "predicted_ms", "predicted_per_token_ms", "predicted_per_second", "cache_n"):
            self.assertIsInstance(answer["timings"][name], (int, float), name)

    def test_a_stream_says_the_same(self):
        *parts, last = self.stream(prompt="The capital of France is", n_predict=8, temperature=0)
        self.assertEqual("".join(part["content"] for part in parts), self.complete()["content"])
        self.assertFalse(any(part["stop"] for part in parts))
        self.assertEqual((last["stop"], last["content"], last["tokens_predicted"]), (True, "", 8))
        self.assertIn("predicted_per_second", last["timings"])

    def test_stop_words_and_ends_are_told_apart(self):
        word = self.complete(stop=["Paris"])
        self.assertEqual((word["stop_type"], word["stopping_word"]), ("word", "Paris"))
        self.assertNotIn("Paris", word["content"])
        prompt = self.json("POST", "/apply-template", {"messages": MESSAGES})["prompt"]
        end = self.complete(prompt, n_predict=-1)
        self.assertEqual(end["stop_type"], "eos")
        self.assertIn("Paris", end["content"])

    def test_tokens_and_text_are_the_same_prompt(self):
        tokens = self.json("POST", "/tokenize", {"content": "The capital of France is"})["tokens"]
        by_text, by_tokens = self.complete(return_tokens=True), self.complete(tokens, return_tokens=True)
        self.assertEqual(by_tokens["content"], by_text["content"])
        self.assertEqual(by_tokens["tokens_evaluated"], len(tokens))
        text = self.json("POST", "/detokenize", {"tokens": by_text["tokens"]})["content"]
        self.assertEqual(text, by_text["content"])
        two = self.json("POST", "/completion", {"prompt": [tokens, "Water is"], "n_predict": 2})
        self.assertEqual([answer["index"] for answer in two], [0, 1])

    def test_nothing_is_made_for_zero_tokens_and_the_prompt_is_kept(self):
        prompt = "Once upon a time, in a small house beside the river, there lived an old fisherman who"
        first = self.complete(prompt, n_predict=0)
        self.assertEqual((first["content"], first["tokens_predicted"]), ("", 0))
        self.assertGreater(self.complete(prompt)["timings"]["cache_n"], 0)

    def test_a_template_is_the_chats_own_prompt(self):
        prompt = self.json("POST", "/apply-template", {"messages": MESSAGES})["prompt"]
        self.assertTrue(prompt.endswith("<|im_end|>\n<|im_start|>assistant\n"), prompt)
        chat = self.json("POST", "/v1/chat/completions", {"messages": MESSAGES, "temperature": 0, "max_tokens": 24})
        answer = self.complete(prompt, n_predict=24)
        self.assertEqual(answer["content"], chat["choices"][0]["message"]["content"])
        self.assertEqual(answer["tokens_evaluated"], chat["usage"]["prompt_tokens"])

    def test_grammars_and_schemas(self):
        schema = {"type": "object", "properties": {"city": {"enum": ["Paris", "Rome"]}}, "required": ["city"]}
        answer = self.complete("The capital of France as JSON: ", json_schema=schema, n_predict=40)
        self.assertIn(json.loads(answer["content"])["city"], ("Paris", "Rome"))
        self.assertIn(self.complete(grammar='root ::= " yes" | " no"')["content"], (" yes", " no"))

    def test_probabilities(self):
        answer = self.complete(n_probs=3, n_predict=4)
        tokens = answer["completion_probabilities"]
        self.assertEqual("".join(token["token"] for token in tokens), answer["content"])
        for token in tokens:
            self.assertEqual([top["id"] for top in token["top_logprobs"]][0], token["id"])
            self.assertEqual(len(token["top_logprobs"]), 3)

    def test_the_request_of_a_frontend_is_taken_as_it_is(self):
        # The fields that SillyTavern sends to llama.cpp, most of them at the values that mean nothing.
        answer = self.complete(
            stop=[], cache_prompt=True, n_probs=0, min_p=0.05, top_k=40, top_p=0.95, typical_p=1, repeat_penalty=1.1,
            repeat_last_n=64, presence_penalty=0, frequency_penalty=0, mirostat=0, mirostat_tau=5, mirostat_eta=0.1,
            dry_multiplier=0, dry_base=1.75, dry_allowed_length=2, dry_penalty_last_n=0, dry_sequence_breakers=["\n"],
            xtc_probability=0, xtc_threshold=0.1, dynatemp_range=0, dynatemp_exponent=1, min_keep=0, n_keep=0,
            ignore_eos=False, logit_bias=[], grammar="", id_slot=-1, seed=-1,
            samplers=["penalties", "dry", "top_n_sigma", "top_k", "typ_p", "top_p", "min_p", "xtc", "temperature"])
        self.assertTrue(answer["content"])

    def test_what_is_not_done_is_refused_by_name(self):
        for field, value in {"mirostat": 2, "lora": [{"id": 0, "scale": 1}], "ignore_eos": True}.items():
            status, answer = self.daemon.request("POST", "/completion", {"prompt": "a", field: value})
            self.assertEqual((status, answer["error"]["code"]), (400, 400))
            self.assertIn(field, answer["error"]["message"])
        status, answer = self.daemon.request("POST", "/completion", {"prompt": "a", "model": "painter"})
        self.assertEqual(status, 400, answer)

    def test_properties_and_slots(self):
        self.complete(n_predict=1)
        props = self.json("GET", "/props")
        self.assertTrue(props["model_path"].endswith(".gguf"))
        self.assertIn("<|im_start|>", props["chat_template"])
        self.assertEqual((props["eos_token"], props["is_sleeping"]), ("<|im_end|>", False))
        self.assertGreater(props["default_generation_settings"]["n_ctx"], 1000)
        slots = self.json("GET", "/slots?fail_on_no_slot=1")
        self.assertEqual(len(slots), props["total_slots"])
        self.assertFalse(any(slot["is_processing"] for slot in slots))

    def test_models_and_their_state(self):
        models = {model["id"]: model for model in self.json("GET", "/models")["data"]}
        self.assertIn(models[NAME]["status"]["value"], ("loaded", "unloaded"))
        self.assertEqual(models["painter"]["architecture"]["output_modalities"], ["image"])

    def test_metrics_have_its_names(self):
        self.complete(n_predict=4)
        connection = UnixConnection(self.daemon.socket)
        self.addCleanup(connection.close)
        connection.request("GET", "/metrics")
        lines = connection.getresponse().read().decode().splitlines()
        values = dict(line.rsplit(" ", 1) for line in lines if line.startswith("llamacpp:"))
        for name in ("prompt_tokens_total", "prompt_seconds_total", "prompt_tokens_seconds", "tokens_predicted_total",
                     "tokens_predicted_seconds_total", "predicted_tokens_seconds"):
            self.assertGreater(float(values[f"llamacpp:{name}"]), 0, name)
        self.assertEqual(values["llamacpp:requests_processing"], "0")
        self.assertEqual(values["llamacpp:requests_deferred"], "0")


if __name__ == "__main__":
    unittest.main()
