"""The unmodified openai client against the daemon's socket."""

import json
import unittest

import openai

from daemon import Daemon, UnixConnection
from openai_client import openai_client

QUESTION = [{"role": "user", "content": "What is the capital of France? Answer in one short sentence."}]


class OpenAIClient(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.daemon = cls.enterClassContext(Daemon())
        cls.client = cls.enterClassContext(openai_client(cls.daemon))
        cls.model = cls.client.models.list().data[0].id

    def ask(self, **changes):
        settings = dict(model=self.model, messages=QUESTION, temperature=0, max_tokens=24)
        return self.client.chat.completions.create(**{**settings, **changes})

    def test_models_are_listed_and_retrieved(self):
        self.assertEqual(self.client.models.retrieve(self.model).id, self.model)
        with self.assertRaises(openai.NotFoundError):
            self.client.models.retrieve("no-such-model")

    def test_an_answer_comes_whole(self):
        answer = self.ask()
        self.assertIn("Paris", answer.choices[0].message.content)
        self.assertEqual(answer.choices[0].finish_reason, "stop")
        self.assertEqual(answer.usage.total_tokens, answer.usage.prompt_tokens + answer.usage.completion_tokens)

    def test_a_stream_says_the_same_in_the_order_clients_rely_on(self):
        whole = self.ask().choices[0].message.content
        chunks = list(self.ask(stream=True, stream_options={"include_usage": True}))
        self.assertEqual(chunks[0].choices[0].delta.role, "assistant")
        self.assertEqual("".join(c.choices[0].delta.content or "" for c in chunks if c.choices), whole)
        self.assertEqual(len({c.id for c in chunks}), 1)
        self.assertEqual(len({c.created for c in chunks}), 1)
        *content, finish, usage = chunks
        self.assertTrue(all(c.choices[0].finish_reason is None for c in content))
        self.assertEqual((finish.choices[0].finish_reason, finish.choices[0].delta.content), ("stop", None))
        self.assertEqual(usage.choices, [])
        self.assertGreater(usage.usage.completion_tokens, 0)

    def test_the_same_seed_gives_the_same_answer(self):
        answers = {self.ask(temperature=1.5, seed=seed).choices[0].message.content for seed in (7, 7, 7)}
        self.assertEqual(len(answers), 1)
        self.assertNotEqual(answers, {self.ask(temperature=1.5, seed=8).choices[0].message.content})

    def test_a_stop_string_ends_the_answer_and_is_left_out(self):
        answer = self.ask(stop=["Paris"])
        self.assertNotIn("Paris", answer.choices[0].message.content)
        self.assertEqual(answer.choices[0].finish_reason, "stop")

    def test_log_probabilities_are_those_of_the_tokens(self):
        answer = self.ask(logprobs=True, top_logprobs=3)
        content = answer.choices[0].logprobs.content
        self.assertEqual("".join(t.token for t in content), answer.choices[0].message.content)
        for token in content:
            self.assertEqual(len(token.top_logprobs), 3)
            self.assertLessEqual(token.logprob, 0)
            self.assertAlmostEqual(token.logprob, token.top_logprobs[0].logprob)  # greedy

    def test_completions_score_a_prompt(self):
        prompt = "The capital of France is Paris"
        scored = self.client.completions.create(
            model=self.model, prompt=prompt, max_tokens=0, echo=True, logprobs=1, temperature=0).choices[0]
        self.assertEqual(scored.text, prompt)
        self.assertEqual("".join(scored.logprobs.tokens), prompt)
        self.assertIsNone(scored.logprobs.token_logprobs[0])
        self.assertTrue(all(p <= 0 for p in scored.logprobs.token_logprobs[1:]))
        status, tokens = self.daemon.request("POST", "/tokenize", {"model": self.model, "content": prompt})
        self.assertEqual(status, 200)
        by_ids = self.client.completions.create(
            model=self.model, prompt=tokens["tokens"], max_tokens=0, echo=True, logprobs=1).choices[0]
        self.assertEqual(by_ids.logprobs.token_logprobs[1:], scored.logprobs.token_logprobs[1:])

    def test_texts_become_vectors(self):
        texts = ["The sea is blue.", "A recipe for bread."]
        answer = self.client.embeddings.create(model=self.model, input=texts)  # as base64, which the client decodes
        floats = self.client.embeddings.create(model=self.model, input=texts[0], encoding_format="float")
        self.assertEqual([len(entry.embedding) for entry in answer.data], [576, 576])
        for given, wanted in zip(answer.data[0].embedding, floats.data[0].embedding):
            self.assertAlmostEqual(given, wanted, places=6)
        self.assertGreater(answer.usage.prompt_tokens, floats.usage.prompt_tokens)
        with self.assertRaisesRegex(openai.BadRequestError, "dimensions"):
            self.client.embeddings.create(model=self.model, input=texts, dimensions=577)

    def test_a_repeated_prompt_is_taken_from_the_cache(self):
        self.ask()
        self.assertGreater(self.ask().usage.prompt_tokens_details.cached_tokens, 10)

    def test_errors_name_what_is_wrong(self):
        with self.assertRaisesRegex(openai.NotFoundError, "no-such-model"):
            self.ask(model="no-such-model")
        with self.assertRaisesRegex(openai.BadRequestError, "temperature"):
            self.ask(temperature=-1)
        with self.assertRaisesRegex(openai.BadRequestError, "n"):
            self.ask(n=9)

    def test_several_answers_share_their_prompt(self):
        answer = self.ask(n=3, temperature=1.2, seed=3)
        self.assertEqual([choice.index for choice in answer.choices], [0, 1, 2])
        self.assertGreater(len({choice.message.content for choice in answer.choices}), 1)
        self.assertLess(answer.usage.prompt_tokens, 2 * self.ask(max_tokens=1).usage.prompt_tokens)
        texts = {}
        for chunk in self.ask(n=3, temperature=1.2, seed=3, stream=True):
            choice = chunk.choices[0]
            texts[choice.index] = texts.get(choice.index, "") + (choice.delta.content or "")
        self.assertEqual(texts, {choice.index: choice.message.content for choice in answer.choices})

    def test_a_picture_is_refused_with_a_sentence(self):
        part = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}}
        with self.assertRaisesRegex(openai.BadRequestError, "cannot see"):
            self.ask(messages=[{"role": "user", "content": [{"type": "text", "text": "What is this?"}, part]}])

    def test_a_client_that_leaves_frees_the_engine(self):
        stream = self.ask(stream=True, max_tokens=2000, messages=[{"role": "user", "content": "Count to 500."}])
        next(iter(stream))
        stream.close()
        self.assertIn("Paris", self.ask().choices[0].message.content)

    def test_the_stream_ends_with_done(self):
        connection = UnixConnection(self.daemon.socket)
        self.addCleanup(connection.close)
        body = json.dumps({"model": self.model, "messages": QUESTION, "stream": True, "max_tokens": 4})
        connection.request("POST", "/v1/chat/completions", body, {"Content-Type": "application/json"})
        response = connection.getresponse()
        self.assertTrue(response.getheader("Content-Type").startswith("text/event-stream"))
        events = response.read().decode().strip().split("\n\n")
        self.assertEqual(events[-1], "data: [DONE]")
        for event in events[:-1]:
            self.assertIn("finish_reason", json.loads(event.removeprefix("data: "))["choices"][0])


if __name__ == "__main__":
    unittest.main()
