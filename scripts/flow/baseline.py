"""Committed results, and the comparison with them."""

import json
from pathlib import Path

from .common import FlowError

FILE = Path(__file__).with_name("baseline.json")
# A change beyond this share is one that a CHANGELOG explains. Mapping by heuristics moves results a little by itself.
TOLERANCE = {"area_um2": 0.02, "cells": 0.02, "flip_flops": 0.0, "fmax_mhz": 0.03, "luts": 0.03, "bram": 0.0, "dsp": 0.0, "cycles": 0.0}


def load():
    """All baselines: flow, preset, block, quantity."""
    return json.loads(FILE.read_text()) if FILE.exists() else {}


def save(flow, preset, results):
    """Makes results the baseline of a preset."""
    everything = load()
    everything.setdefault(flow, {})[preset] = results
    FILE.write_text(json.dumps(everything, indent=1, sort_keys=True) + "\n")


def differences(flow, preset, results):
    """What is beyond the tolerance, one line each."""
    base = load().get(flow, {}).get(preset)
    if base is None:
        raise FlowError("there is no baseline", FILE, f"nothing for {flow} {preset}", "make one with --update")
    lines = []
    for block in sorted(base.keys() | results.keys()):
        if block not in base or block not in results:
            lines.append(f"{block}: only in {'the results' if block in results else 'the baseline'}")
            continue
        for key, before in base[block].items():
            now = results[block].get(key)
            if now is None or abs(now - before) > TOLERANCE[key] * abs(before):
                lines.append(f"{block} {key}: {before} -> {now} (tolerance {100 * TOLERANCE[key]:.0f} %)")
    return lines
