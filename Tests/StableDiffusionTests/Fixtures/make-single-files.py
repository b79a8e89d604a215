"""Write single-files.json: how the models of this folder lie in single-file checkpoints of CompVis's layout.

    python make-single-files.py

Needs the models (make-models.py), torch and diffusers (written with torch 2.13, diffusers 0.42). The tests put the files
together from the models and this list, which is a tenth of their size. That it is the layout which diffusers reads is
proven here: its own converters make of such a file exactly the tensors that it was made of.

A row is [name in the file, part, [names in the part], what is done]: the tensors are concatenated ("rows"), transposed,
given the shape of a 1 x 1 convolution ("pointwise"), or taken as they are ("").
"""

import json
import re
from pathlib import Path

import torch
from diffusers.loaders import single_file_utils as utils
from safetensors import safe_open
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

HERE = Path(__file__).resolve().parent


def tensors(folder):
    result = {}
    for path in sorted(folder.glob("*.safetensors")):
        with safe_open(path, "pt") as file:
            result.update({name: file.get_tensor(name) for name in file.keys()})
    return result


def config(folder):
    return json.loads((folder / "config.json").read_text())


RESIDUAL = {"norm1": "in_layers.0", "conv1": "in_layers.2", "time_emb_proj": "emb_layers.1",
            "norm2": "out_layers.0", "conv2": "out_layers.3", "conv_shortcut": "skip_connection"}
UNET = {"time_embedding.linear_1": "time_embed.0", "time_embedding.linear_2": "time_embed.2",
        "add_embedding.linear_1": "label_emb.0.0", "add_embedding.linear_2": "label_emb.0.2",
        "conv_in": "input_blocks.0.0", "conv_norm_out": "out.0", "conv_out": "out.2"}


def unet_name(name, settings):
    for ours, theirs in UNET.items():
        if name.startswith(ours + "."):
            return theirs + name[len(ours):]
    layers = settings["layers_per_block"]
    match = re.match(r"(down|up)_blocks\.(\d+)\.(\w+)\.(\d+)\.(.*)", name)
    if match:
        way, level, kind, layer, rest = match[1], int(match[2]), match[3], int(match[4]), match[5]
        per_level = layers + 1
        if way == "down":
            if kind == "downsamplers":
                return f"input_blocks.{(level + 1) * per_level}.0.op" + rest[len("conv"):]
            block = f"input_blocks.{1 + level * per_level + layer}"
        else:
            if kind == "upsamplers":
                attention = settings["up_block_types"][level].startswith("CrossAttn")
                return f"output_blocks.{(level + 1) * per_level - 1}.{2 if attention else 1}.{rest}"
            block = f"output_blocks.{level * per_level + layer}"
    else:
        match = re.match(r"mid_block\.(\w+)\.(\d+)\.(.*)", name)
        kind, layer, rest = match[1], int(match[2]), match[3]
        block = "middle_block"
        if kind == "attentions":
            return f"{block}.1.{rest}"
        first, last = rest.rsplit(".", 1)
        return f"{block}.{2 * layer}.{RESIDUAL[first]}.{last}"
    if kind == "attentions":
        return f"{block}.1.{rest}"
    first, last = rest.rsplit(".", 1)
    return f"{block}.0.{RESIDUAL[first]}.{last}"


ATTENTION = {"group_norm": "norm", "to_q": "q", "to_k": "k", "to_v": "v", "to_out.0": "proj_out"}


def vae_name(name, levels):
    name = name.replace("conv_norm_out", "norm_out").replace("conv_shortcut", "nin_shortcut")
    name = re.sub(r"mid_block\.resnets\.(\d)", lambda m: f"mid.block_{int(m[1]) + 1}", name)
    match = re.match(r"(.*)mid_block\.attentions\.0\.(.*)\.(weight|bias)", name)
    if match:
        return f"{match[1]}mid.attn_1.{ATTENTION[match[2]]}.{match[3]}"
    name = re.sub(r"down_blocks\.(\d)\.resnets\.(\d)", r"down.\1.block.\2", name)
    name = re.sub(r"down_blocks\.(\d)\.downsamplers\.0", r"down.\1.downsample", name)
    name = re.sub(r"up_blocks\.(\d)\.resnets\.(\d)",
                  lambda m: f"up.{levels - 1 - int(m[1])}.block.{m[2]}", name)
    return re.sub(r"up_blocks\.(\d)\.upsamplers\.0", lambda m: f"up.{levels - 1 - int(m[1])}.upsample", name)


OPEN = {"layer_norm1": "ln_1", "layer_norm2": "ln_2", "mlp.fc1": "mlp.c_fc", "mlp.fc2": "mlp.c_proj",
        "self_attn.out_proj": "attn.out_proj"}


def open_rows(names, part, prefix, layers, extra):
    """OpenCLIP's names; with `extra`, a last layer that is never used, here a copy of the first."""
    rows = [[prefix + "positional_embedding", part, ["text_model.embeddings.position_embedding.weight"], ""],
            [prefix + "token_embedding.weight", part, ["text_model.embeddings.token_embedding.weight"], ""]]
    for kind in ["weight", "bias"]:
        rows.append([f"{prefix}ln_final.{kind}", part, [f"text_model.final_layer_norm.{kind}"], ""])
        for layer in range(layers + extra):
            source = f"text_model.encoder.layers.{layer % layers}."
            target = f"{prefix}transformer.resblocks.{layer}."
            rows.append([f"{target}attn.in_proj_{kind}", part,
                         [f"{source}self_attn.{p}_proj.{kind}" for p in "qkv"], "rows"])
            for ours, theirs in OPEN.items():
                rows.append([f"{target}{theirs}.{kind}", part, [f"{source}{ours}.{kind}"], ""])
    if "text_projection.weight" in names:
        rows.append([prefix + "text_projection", part, ["text_projection.weight"], "transposed"])
    return rows


def file_rows(name, texts):
    folder = HERE / "models" / name
    rows = []
    unet = config(folder / "unet")
    for tensor in tensors(folder / "unet"):
        rows.append(["model.diffusion_model." + unet_name(tensor, unet), "unet", [tensor], ""])
    vae = tensors(folder / "vae")
    levels = len(config(folder / "vae")["block_out_channels"])
    for tensor, value in vae.items():
        pointwise = "attentions" in tensor and value.dim() == 2
        rows.append(["first_stage_model." + vae_name(tensor, levels), "vae", [tensor],
                     "pointwise" if pointwise else ""])
    for part, prefix in texts.items():
        names = tensors(folder / part)
        if prefix.endswith(".model."):
            layers = config(folder / part)["num_hidden_layers"]
            rows += open_rows(names, part, prefix, layers, 1 if name == "sd2-v" else 0)
        else:
            rows += [[prefix + tensor, part, [tensor], ""] for tensor in names]
    return rows


def assemble(name, rows):
    parts = {}
    file = {}
    for target, part, sources, operation in rows:
        if part not in parts:
            parts[part] = tensors(HERE / "models" / name / part)
        values = [parts[part][source] for source in sources]
        value = torch.cat(values) if operation == "rows" else values[0]
        if operation == "transposed":
            value = value.T.contiguous()
        if operation == "pointwise":
            value = value[:, :, None, None]
        file[target] = value
    return file, parts


def check(name, part, found, expected):
    missing = expected.keys() ^ found.keys()
    assert not missing, (name, part, sorted(missing)[:5])
    for tensor, value in expected.items():
        assert torch.equal(found[tensor].reshape(value.shape), value), (name, part, tensor)
    print(name, part, len(expected), "tensors as diffusers reads them")


def prove(name, rows, texts):
    file, parts = assemble(name, rows)
    folder = HERE / "models" / name
    check(name, "unet", utils.convert_ldm_unet_checkpoint(dict(file), config(folder / "unet")), parts["unet"])
    check(name, "vae", utils.convert_ldm_vae_checkpoint(dict(file), config(folder / "vae")), parts["vae"])
    for part, prefix in texts.items():
        expected = parts[part]
        if prefix.endswith(".model."):
            settings = CLIPTextConfig(**config(folder / part))
            kind = CLIPTextModelWithProjection if "text_projection.weight" in expected else CLIPTextModel
            found = utils.convert_open_clip_checkpoint(kind(settings), dict(file), prefix=prefix)
            unused = f"text_model.encoder.layers.{settings.num_hidden_layers}."
            found = {k: v for k, v in found.items() if not k.startswith(unused)}
        else:
            found = utils.convert_ldm_clip_checkpoint(dict(file), remove_prefix=prefix)
        check(name, part, found, expected)


if __name__ == "__main__":
    files = {
        "sd15": {"text_encoder": "cond_stage_model.transformer."},
        "sd2-v": {"text_encoder": "cond_stage_model.model."},
        "sdxl": {"text_encoder": "conditioner.embedders.0.transformer.",
                 "text_encoder_2": "conditioner.embedders.1.model."},
    }
    result = {}
    for name, texts in files.items():
        result[name] = file_rows(name, texts)
        prove(name, result[name], texts)
    text = ",\n".join(
        f'"{name}": [\n' + ",\n".join(json.dumps(row, separators=(",", ":")) for row in rows) + "\n]"
        for name, rows in result.items())
    (HERE / "single-files.json").write_text("{\n" + text + "\n}\n")
