"""lm-evaluation-harness over a daemon of its own, by /v1/completions and the tokenizer that the daemon serves."""

import os
import sys

import lm_eval
import requests
from lm_eval.api.registry import get_model
from lm_eval.tasks import TaskManager

from daemon import Daemon

OWN_TASKS = ["inkling_capitals", "inkling_sums"]


class Inkling(get_model("local-completions")):
    """Counts tokens as the daemon does, so that no copy of the model's tokenizer is needed."""

    def __init__(self, address, model):
        # Without a tokenizer of its own it looks for none; then it takes ours.
        super().__init__(base_url=f"{address}/v1/completions", model=model, tokenizer_backend="none", max_length=2048)
        self.address = address
        self.tokenizer_backend, self.tokenizer, self.tokenized_requests = "served", self, True

    def tok_encode(self, string, left_truncate_len=None, add_special_tokens=False, truncation=False, **_):
        if not isinstance(string, str):
            return [self.tok_encode(text, left_truncate_len, add_special_tokens) for text in string]
        answer = requests.post(
            f"{self.address}/tokenize", json={"content": string, "add_special": bool(add_special_tokens)}, timeout=60)
        answer.raise_for_status()
        tokens = answer.json()["tokens"]
        return tokens[-left_truncate_len:] if left_truncate_len else tokens


def main(tasks):
    limit = os.environ.get("EVALUATION_LIMIT")
    with Daemon(["--listen", "127.0.0.1:0", "--no-key"]) as daemon:
        model = daemon.request("GET", "/v1/models")[1]["data"][0]["id"]
        results = lm_eval.simple_evaluate(
            model=Inkling(daemon.address, model), tasks=tasks or OWN_TASKS, bootstrap_iters=0, log_samples=False,
            limit=int(limit) if limit else None, task_manager=TaskManager(include_path="Scripts/evaluation"))
    for task, scores in sorted(results["results"].items()):
        for name, score in scores.items():
            if isinstance(score, float):
                print(f"{task:20} {name.split(',')[0]:24} {score:.3f}")


if __name__ == "__main__":
    main(sys.argv[1:])
