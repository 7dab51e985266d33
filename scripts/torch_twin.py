"""The training of coefficients (digits network, groups of 4 kernels of one of 4 tiles, ternary) in PyTorch; prints loss and accuracy an epoch.

usage: python3 scripts/torch_twin.py EPOCHS     started by scripts/compare-training-speed
"""
import json
import pathlib
import struct
import sys

import numpy as np
import torch
from torch.nn import functional as F

DIGITS = pathlib.Path(__file__).resolve().parent.parent / "examples/digits"
ROWS, GROUP, TILES, BATCH = 64, 4, 4, 64


def weights():
    """Tensors of weights.safetensors."""
    data = (DIGITS / "weights.safetensors").read_bytes()
    size = struct.unpack("<Q", data[:8])[0]
    heads = {name: head for name, head in json.loads(data[8 : 8 + size]).items() if name != "__metadata__"}
    view = lambda head: np.frombuffer(data[8 + size :], "<f4")[head["data_offsets"][0] // 4 : head["data_offsets"][1] // 4]
    return {name: torch.tensor(view(head).reshape(head["shape"]).copy()) for name, head in heads.items()}


def basis():
    """A sign-scrambled Hadamard matrix."""
    h = np.ones((1, 1))
    while len(h) < ROWS:
        h = np.block([[h, h], [h, -h]])
    signs = np.random.default_rng(0).choice([-1, 1], ROWS)
    return torch.tensor(h * signs[:, None], dtype=torch.float32)


class Layer:
    """One layer whose weights are coefficients of the basis."""

    def __init__(self, weight, bias, stride, vectors):
        self.kernels, self.window, self.stride, self.vectors = len(weight), weight.shape[1:], stride, vectors
        depth = weight[0].numel()
        self.count = -(-depth // ROWS)
        self.length = -(-depth // self.count)
        flat = F.pad(weight.reshape(self.kernels, depth), (0, self.count * self.length - depth))
        parts = flat.reshape(self.kernels, self.count, self.length) @ vectors[: self.length] / self.length
        scale = 2 * parts.abs().mean(dim=(1, 2)) + 1e-12
        self.latents = (parts / scale[:, None, None]).clone().requires_grad_()
        self.log_scale, self.bias = scale.log().requires_grad_(), bias.clone().requires_grad_()
        # Kernels of a group have the same home.
        order = [k for tile in range(TILES) for k in range(tile, self.kernels, TILES)]
        of_tile = [order[i : i + GROUP] for i in range(0, len(order), GROUP)] if self.kernels % 16 == 0 else None
        homes = [list(range(tile, self.kernels, TILES)) for tile in range(TILES)]
        self.groups = of_tile or homes

    def owned(self):
        """Which kernel of a group owns each column."""
        size = self.latents.detach().abs()
        owned = torch.zeros_like(size)
        for group in self.groups:
            part = size[group]
            owned[group] = F.one_hot(part.argmax(0), len(group)).movedim(-1, 0).to(size.dtype)
        return owned

    def forward(self, x, linear):
        owned = self.owned()
        values = self.latents.detach()
        integers = values.sign() * (values.abs() >= 0.5) * owned
        coefficients = integers + (self.latents - self.latents.detach())
        weight = (coefficients @ self.vectors[: self.length].T).reshape(self.kernels, -1)
        weight = weight[:, : int(np.prod(self.window))] * self.log_scale.exp()[:, None]
        self.lost = 1 - owned
        if linear:
            return x.flatten(1) @ weight.T + self.bias
        return F.conv2d(x, weight.reshape(self.kernels, *self.window), self.bias, self.stride, 1)


def quantized(y, scale):
    """Integers of 8 bits; the gradient passes inside of the range."""
    clamped = (y / scale).clamp(0, 255)
    return (clamped.detach().round() + clamped - clamped.detach()) * scale


def main():
    torch.set_num_threads(1)
    torch.manual_seed(0)
    images = torch.tensor(np.load(DIGITS / "images.npy")[np.load(DIGITS / "train.npy")] / 16, dtype=torch.float32)
    labels = torch.tensor(np.load(DIGITS / "labels.npy")[np.load(DIGITS / "train.npy")].astype(np.int64))
    tensors, vectors = weights(), basis()
    names, strides = ["conv1", "conv2", "conv3", "fc"], [1, 1, 2, 1]
    layers = [Layer(tensors[f"{n}.weight"], tensors[f"{n}.bias"], s, vectors) for n, s in zip(names, strides)]

    def teacher(x):
        seen = []
        for name, stride in zip(names[:3], strides):
            x = F.relu(F.conv2d(x, tensors[f"{name}.weight"], tensors[f"{name}.bias"], stride, 1))
            seen.append(x)
        return x.flatten(1) @ tensors["fc.weight"].T.reshape(-1, 10) + tensors["fc.bias"], seen

    tensors["fc.weight"] = tensors["fc.weight"].reshape(10, -1)
    scales = [float(x.flatten().kthvalue(int(0.999 * x.numel()))[0]) / 255 for x in teacher(images)[1]]
    latents = [layer.latents for layer in layers]
    others = [tensor for layer in layers for tensor in (layer.log_scale, layer.bias)]
    optimizer = torch.optim.Adam([{"params": latents, "lr": 0.05}, {"params": others, "lr": 1e-3}])
    for _ in range(int(sys.argv[1])):
        total, right = 0.0, 0
        for index in torch.randperm(len(images)).split(BATCH):
            x = images[index]
            with torch.no_grad():
                taught = teacher(x)[0]
            for layer, scale in zip(layers[:3], scales):
                x = quantized(layer.forward(x, False), scale)
            scores = layers[3].forward(x, True)
            hard = F.cross_entropy(scores, labels[index], label_smoothing=0.05)
            soft = F.kl_div(F.log_softmax(scores / 2, 1), F.softmax(taught / 2, 1), reduction="batchmean")
            loss = 0.5 * hard + 0.5 * 4 * soft
            optimizer.zero_grad()
            loss.backward()
            for layer in layers:
                layer.latents.grad += 2e-3 * layer.latents.detach() * layer.lost
            optimizer.step()
            total, right = total + loss.item() * len(index), right + int((scores.argmax(1) == labels[index]).sum())
        print(f"loss {total / len(images):.4f}, {100 * right / len(images):.2f} % right")


if __name__ == "__main__":
    main()
