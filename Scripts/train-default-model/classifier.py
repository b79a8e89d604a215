"""A small judge that has only ever seen composed scenes: which object stands at which spot, and on which background."""
import random

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from autoencoder import KINDS
from common import Run, arguments, set_rate
from scenes import BACKGROUNDS, NAMES, SPOTS, bytes_of, caption, understand

SPOT_LIST = list(SPOTS)


class Judge(nn.Module):
    def __init__(self):
        super().__init__()

        def block(inputs, outputs, stride):
            return nn.Sequential(nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU())

        self.body = nn.Sequential(nn.AvgPool2d(2), block(3, 32, 2), block(32, 64, 2), block(64, 96, 1), block(96, 128, 2),
                                  block(128, 128, 1), nn.Flatten(), nn.Linear(128 * 64, 384), nn.ReLU())
        self.objects = nn.Linear(384, len(SPOTS) * (len(NAMES) + 1))
        self.background = nn.Linear(384, len(BACKGROUNDS))

    def features(self, pictures):
        """[N, 384] of pictures in -1...1."""
        return self.body(pictures)

    def forward(self, pictures):
        """The objects at the spots, [N, spots, objects + 1] (0 is none), and the background."""
        found = self.features(pictures)
        return self.objects(found).unflatten(1, (len(SPOTS), -1)), self.background(found)


def examples(random_, count):
    pictures, spots, grounds = [], torch.zeros(count, len(SPOTS), dtype=torch.long), []
    for index in range(count):
        scene = understand(caption(random_, KINDS, BACKGROUNDS))
        pictures.append(bytes_of(scene))
        grounds.append(BACKGROUNDS.index(scene.background))
        for name, _, spot in scene.sprites:
            spots[index, SPOT_LIST.index(spot)] = 1 + NAMES.index(name)
    return torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2), spots, torch.tensor(grounds)


def scaled(pictures):
    return pictures.float() / 127.5 - 1


def main():
    options = arguments(__doc__)
    run = Run(options, "classifier")
    model = Judge()
    optimizer = torch.optim.AdamW(model.parameters(), 1e-3, weight_decay=.02)
    if run.state:
        model.load_state_dict(run.state["model"])
        optimizer.load_state_dict(run.state["optimizer"])
    # another seed than the network's
    random_ = random.Random(options.seed + 31337 + run.step)
    test = examples(random.Random(31338), 200)
    while run.progress < 1:
        pictures, spots, grounds = examples(random_, 48)
        set_rate(optimizer, run.rate(1e-3, 50))
        x = scaled(pictures) + .04 * torch.randn(len(pictures), 1, 1, 1) * torch.randn_like(pictures.float())
        objects, background = model(x)
        wanted = spots.flatten()
        weights = torch.where(wanted > 0, 1., .1)
        loss = (F.cross_entropy(objects.flatten(0, 1), wanted, reduction="none") * weights).sum() / weights.sum()
        loss = loss + .3 * F.cross_entropy(background, grounds)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        run.tick()
        if run.step % 100 == 0 or run.progress == 1:
            model.eval()
            with torch.inference_mode():
                objects, background = model(scaled(test[0]))
            right = (objects.argmax(-1) == test[1])[test[1] > 0].float().mean()
            run.log(f"loss {loss.item():.3f} objects {right:.3f} whole scenes "
                    f"{(objects.argmax(-1) == test[1]).all(1).float().mean():.3f} "
                    f"backgrounds {(background.argmax(-1) == test[2]).float().mean():.3f}")
            model.train()
            run.save(model=model.state_dict(), optimizer=optimizer.state_dict())


if __name__ == "__main__":
    main()
