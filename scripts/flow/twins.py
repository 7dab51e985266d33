"""Emitted modules against the same modules written by hand, at the preset digits: the same behaviour, area, Fmax."""

import json
import math

from . import asic, common, cosimulation
from .common import ROOT, FlowError, run

PRESET = "digits"
REFERENCE = ROOT / "hdl/reference"
# An emitted module is as good if its area is at most, and its Fmax at least, this share of the hand-written one's.
AREA, FMAX = 1.02, 0.98
# What a mapper makes of two texts of one circuit differs by some percent either way; so each is mapped in several ways, and the
# geometric means count.
MAPPINGS = [asic.ABC.replace("dch; map -B 0.9", ways) for ways in (
    "dch; map -B 0.9", "dch -f; map -B 0.9", "dch; dch; map -B 0.9", "balance; dch; map -B 0.9", "dch; map -B 0.5", "map -B 0.9")]
PROVEN = "accumulation_lane"
# Cycles of the induction: more than a value stays in a module without being seen at its outputs.
STEPS = 3


def prove(name, emitted, written, folder):
    """Yosys proves that both modules give the same outputs for ever after a reset, whatever the inputs."""
    def side(kind, files):
        lines = [f"read_verilog {' '.join(map(str, files))}", f"hierarchy -top {name}", "proc", "flatten", "opt_clean"]
        return [*lines, f"rename {name} {kind}", f"design -stash {kind}"]

    sides = [*side("emitted", emitted), *side("written", written)]
    copies = [f"design -copy-from {kind} -as {kind} {kind}" for kind in ("emitted", "written")]
    scripts = {
        # The first steps after a reset: equal.
        "base": ["miter -equiv -flatten -make_assert emitted written both", "hierarchy -top both", "opt -full",
                 f"sat -verify -prove-asserts -set-at 1 in_reset 1 -prove-skip 1 -set-init-undef -seq {STEPS + 1} both"],
        # Equal for some steps: equal in the next.
        "step": ["equiv_make emitted written both", "hierarchy -top both", "opt -full", "equiv_struct", "equiv_simple -undef -seq 3",
                 f"equiv_induct -undef -seq {STEPS}", "equiv_status -assert"],
    }
    for part, commands in scripts.items():
        script = folder / f"{name}.{part}.ys"
        script.write_text("\n".join([*sides, *copies, *commands]) + "\n")
        run(["yosys", "-q", script], folder, folder / f"{name}.{part}.log")


def mean(values):
    return math.exp(sum(map(math.log, values)) / len(values))


def compare(flow, ip, as_json):
    modules = common.verilog(ip)
    hard = [file for name, file in modules.items() if name.startswith("memory_")]
    soft = [file for name, file in modules.items() if not name.startswith("memory_") and name not in ("basisn_core", "tile")]
    written = sorted(REFERENCE.glob("*.v"))
    results = {}
    for file in written:
        name = file.stem
        if name not in modules:
            raise FlowError("a hand-written module has no emitted one", file, "the generator makes no such module", "remove the file")
        cosimulation.equal(name, soft, written, hard, flow.folder)
        area, fmax = {}, {}
        for side, sources in (("emitted", soft), ("written", written)):
            mapped = []
            for i, mapping in enumerate(MAPPINGS):
                one = asic.Flow(flow.library, flow.folder / f"{side}_{i}", flow.stubs, mapping)
                mapped.append(one.time(name, one.synthesize(name, sources)))
            area[side], fmax[side] = mean([r.area_um2 for r in mapped]), mean([r.fmax_mhz for r in mapped])
        results[name] = {
            "area_um2": {side: round(value) for side, value in area.items()},
            "fmax_mhz": {side: round(value, 1) for side, value in fmax.items()},
            "area_ratio": round(area["emitted"] / area["written"], 3), "fmax_ratio": round(fmax["emitted"] / fmax["written"], 3),
        }
    prove(PROVEN, [modules[PROVEN]], [REFERENCE / f"{PROVEN}.v"], flow.folder)
    worse = [name for name, r in results.items() if r["area_ratio"] > AREA or r["fmax_ratio"] < FMAX]
    if as_json:
        print(json.dumps({"preset": PRESET, "modules": results, "proven_equivalent": [PROVEN], "worse": worse}, indent=1))
    else:
        rows = [(name, *r["area_um2"].values(), f"{r['area_ratio']:.3f}", *r["fmax_mhz"].values(), f"{r['fmax_ratio']:.3f}")
                for name, r in results.items()]
        print(common.table(rows, ("module", "emitted um2", "by hand", "ratio", "emitted MHz", "by hand", "ratio")))
        print(f"\nequal in simulation of {cosimulation.CYCLES} cycles: all; proven equivalent: {PROVEN}")
        for name in worse:
            print(f"{name}: worse than {AREA} times the area or {FMAX} times the Fmax")
    return 1 if worse else 0
