"""Trains the text encoder and the UNet together, in stages: each waits until the one before it names its objects.

The target is the velocity, over a schedule that ends in pure noise; there the velocity is the picture, so that one
step already is the whole answer. Half of the noise is the one that a seed of 0 gives.
"""
import contextlib
import copy
import random

import torch
import torch.nn.functional as F
from diffusers import DDIMScheduler, UNet2DConditionModel
from diffusers.models.attention_processor import AttnProcessor
from transformers import CLIPTextConfig, CLIPTextModel

import tokens
from autoencoder import trained_autoencoder
from captions import STAGES, Source, unseen_place
from common import Run, arguments, grown, optimizers, set_rate
from composer import Encoded
from latents import Latents
from presets import preset
from scenes import NAMES, Scene, lexicon

# the accuracy on single objects that ends a stage earlier
ENOUGH = .93


def schedule():
    return DDIMScheduler(beta_schedule="squaredcos_cap_v2", prediction_type="v_prediction", timestep_spacing="trailing",
                         rescale_betas_zero_snr=True, clip_sample=False, set_alpha_to_one=True, steps_offset=0)


def text_encoder(sizes, tokenizer):
    last = len(tokenizer) - 1
    return CLIPTextModel(CLIPTextConfig(
        vocab_size=len(tokenizer), hidden_size=sizes.text, intermediate_size=3 * sizes.text,
        num_hidden_layers=sizes.text_layers, num_attention_heads=4, max_position_embeddings=tokens.LENGTH,
        projection_dim=sizes.text, bos_token_id=last - 1, eos_token_id=last, pad_token_id=last,
        attn_implementation="eager" if sizes.device == "cpu" else "sdpa"))  # the fused kind is slower on a CPU


def unet(sizes):
    down, up = ["DownBlock2D"], ["UpBlock2D"]
    model = UNet2DConditionModel(
        sample_size=16, in_channels=sizes.latents, out_channels=sizes.latents, block_out_channels=sizes.channels,
        layers_per_block=sizes.layers, down_block_types=(*down, "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", *up), cross_attention_dim=sizes.text,
        attention_head_dim=4, norm_num_groups=min(16, sizes.channels[0] // 4))
    if sizes.device == "cpu":
        model.set_attn_processor(AttnProcessor())
    torch.nn.init.zeros_(model.conv_out.weight)
    torch.nn.init.zeros_(model.conv_out.bias)
    return model


def prime(encoder, tokenizer, latents):
    """Begins with word vectors that say what a thing looks like: the principal components of its latents."""
    rows = latents.batch([Scene(("white", "day"), ((name, None, "centre"),)) for name in NAMES]).flatten(1).cpu()
    u, s, _ = torch.linalg.svd(rows - rows.mean(0), full_matrices=False)
    width = encoder.config.hidden_size
    size = min(width // 2, len(NAMES) - 1)
    looks = u[:, :size] * (s[:size] / s[0]).sqrt()
    looks = looks / looks.std() * .3
    table = encoder.get_input_embeddings().weight.data
    table.normal_(std=.15)
    table[:, :size] *= .1
    for word, (kind, value) in lexicon().items():
        ids = tokenizer(word).input_ids[1:-1]
        if kind in ("object", "plural") and len(ids) == 1:
            table[ids[0], :size] = looks[NAMES.index(value)]


def moved(table, pieces, to, result):
    """Rows of word vectors in another vocabulary's order; new pieces keep what `result` begins with."""
    places = {piece: row for row, piece in enumerate(pieces)}
    result = result.clone()
    for row, piece in enumerate(to):
        if piece in places:
            result[row] = table[places[piece]]
    return result


class Trainer:
    def __init__(self, options):
        self.options, self.sizes = options, preset(options.preset)
        self.run = Run(options, options.name, self.sizes.device)
        self.latents = Latents(options.work / "latents") if not self.sizes.workers else Encoded(
            trained_autoencoder(options.work, self.sizes), self.sizes.device)
        self.tokenizer = tokens.write(options.work / "tokenizer", tokens.neighbours(options.work))
        self.pieces = self.tokenizer.convert_ids_to_tokens(range(len(self.tokenizer)))
        self.source = Source(options.work, options.seed * 7919 + self.run.step, self.sizes.workers)
        torch.manual_seed(options.seed * 7919 + self.run.step)
        encoder = text_encoder(self.sizes, self.tokenizer)
        prime(encoder, self.tokenizer, self.latents)
        self.net = torch.nn.ModuleDict({"text": encoder, "unet": unet(self.sizes)}).to(self.sizes.device)
        self.mean = copy.deepcopy(self.net).eval().requires_grad_(False)
        self.optimizers = optimizers(self.net, self.sizes.rate)
        self.stage, self.stage_step = 0, 0
        if self.run.state:
            self.resume(self.run.state)
        self.scheduler = schedule()
        self.alphas = self.scheduler.alphas_cumprod.to(self.sizes.device)
        shape = (1, self.sizes.latents, 16, 16)
        self.fixed = torch.randn(shape, generator=torch.Generator().manual_seed(0)).to(self.sizes.device)

    def resume(self, state):
        """Goes on from a checkpoint, also from one of fewer latents or another vocabulary."""
        same = state["pieces"] == self.pieces
        for name, net in (("net", self.net), ("mean", self.mean)):
            weights, words = state[name], next(k for k in state[name] if k.endswith("token_embedding.weight"))
            if not same:
                weights[words] = moved(weights[words], state["pieces"], self.pieces, net.state_dict()[words])
            same = same and all(weights[k].shape == v.shape for k, v in net.state_dict().items())
            net.load_state_dict(grown(weights, net))
        if same:
            for optimizer, kept in zip(self.optimizers, state["optimizers"]):
                optimizer.load_state_dict(kept)
        self.stage, self.stage_step = state["stage"], state["stage_step"]

    def batch(self, count):
        ids, scenes = self.source(count, self.stage, self.latents)
        return ids.to(self.sizes.device), self.latents.batch(scenes).to(self.sizes.device)

    # --- a step ---

    def train(self):
        run, sizes = self.run, self.sizes
        ids, z = self.batch(sizes.batch)
        count = len(z)
        # mostly at the end of the schedule, where all is decided
        end = .75 if self.stage + 1 == len(STAGES) else .5
        t = torch.where(torch.rand(count) < end, torch.tensor(999), torch.randint(0, 1000, (count,))).to(sizes.device)
        noise = torch.where((torch.rand(count) < .55).to(sizes.device)[:, None, None, None], self.fixed, torch.randn_like(z))
        a, s = self.alphas[t].sqrt()[:, None, None, None], (1 - self.alphas[t]).sqrt()[:, None, None, None]
        for optimizer in self.optimizers:
            set_rate(optimizer, run.rate(sizes.rate, 60))
        with torch.autocast(sizes.device, torch.bfloat16):
            guess = self.net["unet"](a * z + s * noise, t, self.net["text"](ids).last_hidden_state).sample
        loss = F.mse_loss(guess.float(), a * noise - s * z)
        self.net.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.net.parameters(), 1)
        for optimizer in self.optimizers:
            optimizer.step()
        self.stage_step += 1
        with torch.no_grad():
            share = 1 - min(.99, (1 + run.step) / (10 + run.step))
            torch._foreach_lerp_(list(self.mean.parameters()), list(self.net.parameters()), share)
        run.tick()
        return loss.item()

    # --- how far it is ---

    @torch.inference_mode()
    def draw(self, captions, steps=1, noise=None):
        """Latents of captions, by the averaged weights."""
        x = (self.fixed if noise is None else noise).expand(len(captions), -1, -1, -1)
        with torch.autocast(self.sizes.device, torch.bfloat16):
            words = self.mean["text"](tokens.encode(self.tokenizer, captions).to(self.sizes.device)).last_hidden_state
            self.scheduler.set_timesteps(steps)
            for t in self.scheduler.timesteps:
                x = self.scheduler.step(self.mean["unet"](x, t.to(x.device), words).sample.float(), t, x).prev_sample
        return x

    def accuracy(self, grounds, steps=1):
        """How many objects, alone on a background where they were never seen (but on white), are nearest to themselves."""
        right = total = error = 0
        for ground in grounds:
            names = [n for n in NAMES if ground == ("white", "day") or unseen_place(n, ground)]
            said = {"white": "", "table": " on a table", "sky": " in the sky", "space": " in space"}.get(ground[0])
            if said is None:
                from vocabulary import PLACES, TIMES
                said = " " + PLACES[ground[0]][0] + (" " + TIMES[ground[1]][0] if ground[1] != "day" else "")
            elif ground[1] != "day":
                said += f" at {ground[1]}"
            drawn = torch.cat([self.draw([f"a {n}{said}" for n in names[i:i + 48]], steps) for i in range(0, len(names), 48)])
            all_ = self.latents.batch([Scene(ground, ((n, None, "centre"),)) for n in NAMES]).to(drawn.device)
            nearest = torch.cdist(drawn.flatten(1), all_.flatten(1)).argmin(1)
            wanted = torch.tensor([NAMES.index(n) for n in names], device=drawn.device)
            right += (nearest == wanted).sum().item()
            error += (drawn - all_[wanted]).square().mean((1, 2, 3)).sum().item()
            total += len(names)
        return right / max(1, total), error / max(1, total)

    def check(self, loss):
        white, error = self.accuracy([("white", "day")])
        text = f"stage {self.stage} loss {loss:.4f} white {white:.3f} ({error:.4f})"
        grounds = [g for g in self.latents.backgrounds if g[0] in ("grass", "snow", "sea", "forest", "sky", "beach")]
        enough = white >= ENOUGH
        if self.stage and grounds:
            unseen, error = self.accuracy(random.Random(self.run.step).sample(grounds, min(6, len(grounds))))
            text += f" unseen {unseen:.3f} ({error:.4f})"
            enough = unseen >= ENOUGH
        self.run.log(text + f" threads {torch.get_num_threads()}")
        self.latents.refresh()
        if self.stage + 1 < len(STAGES) and (enough or self.run.progress > STAGES[self.stage][1]):
            self.stage, self.stage_step = self.stage + 1, 0
        self.run.save(net=self.net.state_dict(), mean=self.mean.state_dict(), pieces=self.pieces, stage=self.stage, stage_step=self.stage_step,
                      optimizers=[o.state_dict() for o in self.optimizers])


def main():
    options = arguments(__doc__, name=("network", "of the checkpoint and the log"), check=(100, "steps between two checks"))
    trainer = Trainer(options)
    losses = []
    with contextlib.suppress(KeyboardInterrupt):
        while trainer.run.progress < 1:
            losses.append(trainer.train())
            if trainer.run.step % options.check == 0 or trainer.run.progress == 1:
                trainer.check(sum(losses) / len(losses))
                losses = []


if __name__ == "__main__":
    main()
