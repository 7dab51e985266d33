"""Clock cycles of the digits network on a chip, by the cycle model, which equals the counters of the RTL."""

import json

from . import common


def inference(config, folder):
    """Cycles of one image, layer after layer."""
    program = folder / "digits.safetensors"
    common.run([common.basisn(), "compile", "--config", config, "--out", program], common.ROOT)
    report = common.run([common.basisn(), "evaluate", "--network", program, "--config", config, "--batch", "1", "--json"], common.ROOT)
    return sum(layer["cycles"] for layer in json.loads(report)["layers"])
