"""Write smollm2-reference.json: what transformers says about SmolLM2-135M-Instruct.Q4_1.gguf.

    python make-smollm2-reference.py FOLDER_OF_THE_GGUF [FILE_NAME]

transformers dequantises the file to float32 and runs it on the CPU, so the reference has the file's own weights
and exact arithmetic: only the engine's rounding (quantised activations, float16 cache) is left to differ.
The text and the prompts below were written for this test. Needs torch, transformers,
accelerate and gguf; takes a few minutes.
"""

import json
import sys
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

TEXT = """The harbour master kept two notebooks. The first was bound in green cloth and held the things that the
council wanted to know: which boats had come in, how much they carried, and what they paid for the berth. The second
was a school notebook with a torn cover, and nobody had ever asked to see it. In it she wrote down the weather as it
really was, rather than as the forecast had promised, and the names of the people who had waved to her from the deck.

On the last Friday of October the wind turned to the north-east before breakfast. By nine o'clock the small boats
were back behind the wall, and by ten the ferry company had telephoned to say that there would be no crossing until
Sunday. She wrote the message in the green book, underlined it twice, and pinned a copy to the door of the ticket
office. Then she filled the kettle, because a day without a ferry was a day on which everybody came to ask when there
would be one.

The first visitor was a man with a cello. He explained that he had to be in the city by the evening, that forty people
had bought tickets, and that a cello cannot travel by helicopter. She agreed about the cello. She gave him tea and
showed him the chart on the wall, where the tide tables were printed in columns of small blue figures: high water at
04:12 and 16:37, low water at 10:25 and 22:51. "If the wind drops below force six," she said, "the pilot boat goes out
at half past four. It carries eight passengers. It has never carried a cello, but I do not see a rule against it."

He sat down by the radiator and tuned the instrument, since the damp had loosened two of the strings. When the second
visitor arrived, a girl of about seven looking for her cat, he was playing something slow. The girl listened with her
hand on the door. After a while she said that the cat liked music and would certainly come if he went on, and so he
went on. The cat did not come, but the schoolteacher did, and the two brothers from the chandlery, and at noon the
office was so full that the windows ran with water.

At three the barometer began to rise. A computer would have said the same: pressure = 998 hPa, then 1001, then 1004;
wind = 31 knots, then 26, then 21. But the harbour master only looked at the flag on the chapel roof, which had stopped
cracking and started to wave. She opened the school notebook, wrote the hour and the word "music", and went to tell
the pilot that he would need some rope and a dry blanket for a passenger made of wood."""

CHATS = [
    "What is the capital of France?",
    "Explain in a few sentences why the sky is blue.",
    "Write a short poem about a lighthouse in winter.",
    "List five things to pack for a walk in the mountains.",
    "How do I reverse a list in Python? Show an example.",
    "Translate 'good morning, my friend' into Spanish.",
    "What is the difference between weather and climate?",
    "Tell me a story about a fox who learns to count.",
    "Give me a recipe for a simple tomato soup.",
    "Why do we have leap years?",
    "Summarise the idea of supply and demand for a child.",
    "Write a polite e-mail that asks to move a meeting to Thursday.",
]
PROMPTS = [
    "Once upon a time, in a village at the edge of the forest,",
    "The three most important properties of water are",
    "def fibonacci(n):\n    \"\"\"Return the n-th Fibonacci number.\"\"\"\n",
    "In 1969, the first people to walk on the Moon",
    "A good sentence has a subject and a verb. For example:",
    "The recipe needs 2 eggs, 200 g of flour, 1/2 litre of milk and",
    "Die Katze sitzt auf dem Tisch und",
    "Q: What is 12 + 30?\nA:",
]
STEPS = 64


def rounded(values):
    return [round(float(v), 4) for v in values]


def main():
    folder = Path(sys.argv[1])
    name = sys.argv[2] if len(sys.argv) > 2 else "SmolLM2-135M-Instruct.Q4_1.gguf"
    tokenizer = AutoTokenizer.from_pretrained(folder, gguf_file=name)
    model = AutoModelForCausalLM.from_pretrained(folder, gguf_file=name, dtype=torch.float32).eval()
    chat = "<|im_start|>user\n{}<|im_end|>\n<|im_start|>assistant\n"
    texts = [chat.format(question) for question in CHATS] + PROMPTS
    text = " ".join(TEXT.split("\n")).replace("  ", "\n\n")
    with torch.inference_mode():
        tokens = tokenizer(text, add_special_tokens=False)["input_ids"]
        logits = model(torch.tensor([tokens])).logits[0].double()
        logprobs = torch.log_softmax(logits[:-1], -1).gather(1, torch.tensor(tokens[1:])[:, None])[:, 0]
        prompts = []
        for prompt in texts:
            ids = tokenizer(prompt, add_special_tokens=False)["input_ids"]
            cache, new, step = None, [], ids
            for _ in range(STEPS):
                out = model(torch.tensor([step]), past_key_values=cache, use_cache=True)
                cache, step = out.past_key_values, [int(out.logits[0, -1].argmax())]
                new += step
            # The gaps come from one pass over the whole, so that the cache's path is not part of the reference.
            rows = model(torch.tensor([ids + new])).logits[0, len(ids) - 1 : -1].double()
            top = torch.log_softmax(rows, -1).topk(2)
            assert top.indices[:, 0].tolist() == new, prompt
            prompts.append({
                "prompt": prompt, "tokens": ids, "continuation": new,
                "logprobs": rounded(top.values[:, 0]), "gaps": rounded(top.values[:, 0] - top.values[:, 1]),
            })
            print(repr(prompt), repr(tokenizer.decode(new))[:100], file=sys.stderr)
    reference = {
        "file": name, "text": text, "tokens": tokens, "meanLogprob": round(float(logprobs.mean()), 6),
        "logprobs": rounded(logprobs), "prompts": prompts,
    }
    lines = json.dumps(reference, ensure_ascii=True).replace(', "prompts"', ',\n"prompts"').replace('}, {', '},\n{')
    Path(__file__).with_name("smollm2-reference.json").write_text(lines + "\n")


if __name__ == "__main__":
    main()
