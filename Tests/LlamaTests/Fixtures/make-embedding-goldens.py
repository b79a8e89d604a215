"""Write embeddings.json: what transformers computes as embeddings with the models of this folder.

    python make-embedding-goldens.py

Needs torch, transformers and safetensors. A text's states are those of LlamaModel after its last norm (float32, CPU,
eager attention, keys and values rounded to float16 as the engine's cache stores them); the vectors are the state of the
last token and the mean over all tokens, each divided by its length.
"""

import json
from pathlib import Path

import torch
from transformers import DynamicCache, LlamaModel

HERE = Path(__file__).parent
MODELS = ["tied", "wide-heads", "llama3-rope", "linear-rope"]
COUNTS = [1, 7, 96]


class HalfCache(DynamicCache):
    def update(self, keys, values, *rest, **settings):
        return super().update(keys.half().float(), values.half().float(), *rest, **settings)


def vector(state):
    return (state / state.norm()).tolist()


def goldens(name):
    model = LlamaModel.from_pretrained(HERE / name, dtype=torch.float32, attn_implementation="eager").eval()
    tokens = json.loads((HERE / "goldens.json").read_text())[name]["tokens"]
    texts = []
    for count in COUNTS:
        with torch.inference_mode():
            states = model(torch.tensor([tokens[:count]]), past_key_values=HalfCache()).last_hidden_state[0]
        texts.append({"tokens": tokens[:count], "last": vector(states[-1]), "mean": vector(states.mean(0))})
    return texts


if __name__ == "__main__":
    document = {name: goldens(name) for name in MODELS}
    rounded = json.loads(json.dumps(document), parse_float=lambda text: round(float(text), 7))
    (HERE / "embeddings.json").write_text(json.dumps(rounded) + "\n")
