"""Emitted modules against the same modules written by hand, at the preset digits: equivalence, area, Fmax."""

import json

from . import asic, common
from .common import ROOT, FlowError, run

PRESET = "digits"
REFERENCE = ROOT / "hdl/reference"
# An emitted module is as good if its area is at most, and its Fmax at least, this share of the hand-written one's.
AREA, FMAX = 1.02, 0.98


def prove(name, emitted, written, hard, folder):
    """Yosys proves that both modules give the same outputs for ever after a reset, whatever the inputs."""
    def side(kind, files):
        lines = [f"read_verilog -lib {' '.join(map(str, hard))}"] if hard else []
        return [*lines, f"read_verilog {' '.join(map(str, files))}", f"hierarchy -top {name}", "proc", "flatten", "opt -full",
                f"rename {name} {kind}", f"design -stash {kind}"]
    script = folder / f"{name}.prove.ys"
    script.write_text("\n".join([
        *side("emitted", emitted), *side("written", written),
        "design -copy-from emitted -as emitted emitted", "design -copy-from written -as written written",
        # Registers of the same name start equal and must stay equal; hard blocks get the same inputs.
        "miter -equiv -flatten -make_assert emitted written both", "hierarchy -top both", "opt -full",
        "sat -verify -prove-asserts -tempinduct -maxsteps 12 -seq 1 -set-at 1 in_reset 1 -set-init-undef both",
    ]) + "\n")
    run(["yosys", "-q", script], folder, folder / f"{name}.prove.log")


def compare(flow, ip, as_json):
    modules = common.verilog(ip)
    hard = [file for name, file in modules.items() if name.startswith("memory_")]
    soft = [file for name, file in modules.items() if not name.startswith("memory_")]
    written = sorted(REFERENCE.glob("*.v"))
    other = asic.Flow(flow.library, flow.folder / "written", flow.stubs)
    results = {}
    for file in written:
        name = file.stem
        if name not in modules:
            raise FlowError("a hand-written module has no emitted one", file, "the generator makes no such module", "remove the file")
        ours = flow.time(name, flow.synthesize(name, soft))
        theirs = other.time(name, other.synthesize(name, written))
        results[name] = {
            "emitted": ours.summary(), "written": theirs.summary(),
            "area_ratio": round(ours.area_um2 / theirs.area_um2, 3), "fmax_ratio": round(ours.fmax_mhz / theirs.fmax_mhz, 3),
        }
    prove("accumulation_lane", soft, written, hard, flow.folder)
    worse = [name for name, r in results.items() if r["area_ratio"] > AREA or r["fmax_ratio"] < FMAX]
    if as_json:
        print(json.dumps({"preset": PRESET, "modules": results, "proven_equivalent": ["accumulation_lane"], "worse": worse}, indent=1))
    else:
        rows = [(name, r["emitted"]["area_um2"], r["written"]["area_um2"], f"{r['area_ratio']:.3f}", r["emitted"]["fmax_mhz"],
                 r["written"]["fmax_mhz"], f"{r['fmax_ratio']:.3f}") for name, r in results.items()]
        print(common.table(rows, ("module", "emitted um2", "by hand", "ratio", "emitted MHz", "by hand", "ratio")))
        print("accumulation_lane: proven equivalent")
        for name in worse:
            print(f"{name}: worse than {AREA} times the area or {FMAX} times the Fmax")
    return 1 if worse else 0
