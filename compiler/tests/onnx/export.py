"""Makes the ONNX files beside it with both of PyTorch's exporters, and the scores that PyTorch gives for the test's image.

    python -m venv venv && venv/bin/pip install torch==2.9.1 onnx==1.23.2 onnxscript==0.7.2
    venv/bin/python compiler/tests/onnx/export.py

Only needed to make the files again; the tests read what is there.
"""

import pathlib

import onnx
import torch
from torch import nn

FOLDER = pathlib.Path(__file__).parent


class Residual(nn.Module):
    """A stem, a residual block with a downsampling shortcut, global average pooling, a classifier: ResNet's ways."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1, bias=False), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(3, 2, 1))
        self.conv1 = nn.Conv2d(8, 12, 3, stride=2, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(12)
        self.conv2 = nn.Conv2d(12, 12, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(12)
        self.shortcut = nn.Sequential(nn.Conv2d(8, 12, 1, stride=2, bias=False), nn.BatchNorm2d(12))
        self.fc = nn.Linear(12, 5)

    def forward(self, x):
        x = self.stem(x)
        y = self.bn2(self.conv2(torch.relu(self.bn1(self.conv1(x)))))
        x = torch.relu(y + self.shortcut(x))
        x = nn.functional.adaptive_avg_pool2d(x, (1, 1))
        return self.fc(torch.flatten(x, 1))


class Dense(nn.Module):
    """Batch norm before the convolution, concatenation, average pooling, view by a computed shape: DenseNet's ways."""

    def __init__(self):
        super().__init__()
        self.conv0 = nn.Conv2d(3, 8, 3, padding=1, bias=False)
        self.norm1, self.conv1 = nn.BatchNorm2d(8), nn.Conv2d(8, 4, 3, padding=1, bias=False)
        self.norm2, self.conv2 = nn.BatchNorm2d(12), nn.Conv2d(12, 4, 3, padding=1, bias=False)
        self.norm3, self.transition = nn.BatchNorm2d(16), nn.Conv2d(16, 8, 1, bias=False)
        self.norm4 = nn.BatchNorm2d(8)
        self.fc = nn.Linear(8 * 4 * 4, 5)

    def forward(self, x):
        x = self.conv0(x)
        x = torch.cat([x, self.conv1(torch.relu(self.norm1(x)))], 1)
        x = torch.cat([x, self.conv2(torch.relu(self.norm2(x)))], 1)
        x = nn.functional.avg_pool2d(self.transition(torch.relu(self.norm3(x))), 2)
        x = nn.functional.avg_pool2d(torch.relu(self.norm4(x)), 2)
        return nn.functional.log_softmax(self.fc(x.view(x.size(0), -1)), dim=1)


class Mobile(nn.Module):
    """Depthwise convolution, ReLU6, uneven padding, dilation, dropout: MobileNet's ways."""

    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(
            nn.ZeroPad2d((0, 1, 0, 1)), nn.Conv2d(3, 8, 3, stride=2), nn.BatchNorm2d(8), nn.ReLU6(),
            nn.Conv2d(8, 8, 3, padding=2, dilation=2, groups=8, bias=False), nn.BatchNorm2d(8), nn.ReLU6(),
            nn.Conv2d(8, 12, 1), nn.BatchNorm2d(12),
        )
        self.classifier = nn.Sequential(nn.Dropout(0.2), nn.Linear(12, 5))

    def forward(self, x):
        return self.classifier(self.features(x).mean([2, 3]))


def settle(model):
    """Batch norms with statistics and weights of their own, so that folding them matters."""
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            for values, low, high in [(module.running_mean, -0.2, 0.2), (module.running_var, 0.5, 1.5)]:
                values.uniform_(low, high)
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.uniform_(module.bias, -0.3, 0.3)
    return model.eval()


def image():
    """The image of the test: (i * 7919 % 201) / 100 - 1 for value i in channel, row, column order."""
    return torch.tensor([i * 7919 % 201 / 100 - 1 for i in range(3 * 16 * 16)], dtype=torch.float32).reshape(1, 3, 16, 16)


def without_places(path):
    """Removes the exporter's stack traces, which hold paths of the machine; all else stays as it was written."""
    model = onnx.load(path, load_external_data=False)
    for node in model.graph.node:
        kept = [entry for entry in node.metadata_props if not entry.key.endswith("stack_trace")]
        del node.metadata_props[:]
        node.metadata_props.extend(kept)
    onnx.save(model, path)


def main():
    torch.manual_seed(1)
    scores = []
    with torch.no_grad():
        for model in [Residual(), Dense(), Mobile()]:
            name, model = type(model).__name__.lower(), settle(model)
            names = {"input_names": ["image"], "output_names": ["scores"]}
            torch.onnx.export(
                model, (image(),), str(FOLDER / f"{name}-torchscript.onnx"), dynamo=False, opset_version=13,
                dynamic_axes={"image": {0: "batch"}, "scores": {0: "batch"}}, **names,
            )
            torch.onnx.export(
                model, (image(),), str(FOLDER / f"{name}-dynamo.onnx"), dynamo=True, external_data=name == "dense",
                dynamic_shapes=({0: torch.export.Dim("batch")},), **names,
            )
            without_places(FOLDER / f"{name}-dynamo.onnx")
            scores.append(f"{name} " + " ".join(f"{v:.7g}" for v in model(image())[0].tolist()))
    (FOLDER / "scores.txt").write_text("\n".join(scores) + "\n")


main()
