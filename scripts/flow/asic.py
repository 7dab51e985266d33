"""Yosys and OpenSTA: area, cells and Fmax of a module."""

import re
from dataclasses import dataclass, field
from pathlib import Path

from .common import FlowError, run
from .library import stub_area

# Mapping by delay, then buffers for every large fan-out, then sizes. What else scripts do first (dc2, scorr, ifraig) saves little
# area and turns prefix adders back into ripple carry.
ABC = "strash; dch; map -B 0.9; topo; buffer -c; upsize; dnsize; stime -p"

BLOCK_SDC = """\
set clock_ns 5
create_clock -name clock -period $clock_ns [get_ports clock]
set_input_delay 0 -clock clock [all_inputs]
set_output_delay 0 -clock clock [all_outputs]
set_load 0.05 [all_outputs]
"""


@dataclass
class Result:
    """A synthesized module; area in um2 without and with hard blocks."""

    area_um2: float
    hard_um2: float
    cells: int
    flip_flops: int
    hard: dict
    fmax_mhz: float = 0.0
    path: str = ""
    kinds: dict = field(default_factory=dict)

    def summary(self):
        """What a baseline keeps."""
        return {"area_um2": round(self.area_um2), "cells": self.cells, "flip_flops": self.flip_flops, "fmax_mhz": round(self.fmax_mhz, 1)}


class Flow:
    """Synthesis of modules of one generated chip with one library."""

    def __init__(self, library, folder, stubs=(), mapping=ABC):
        self.library, self.folder, self.stubs = library, Path(folder).resolve(), list(stubs)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.constr = self.folder / "abc.constr"
        self.constr.write_text(f"set_driving_cell {library.driver}\nset_load 0.05\n")
        self.abc = self.folder / "abc.script"
        self.abc.write_text(mapping + "\n")

    def synthesize(self, top, sources, keep=()):
        """Maps a module with all below it to cells; modules of `keep` stay modules, each mapped once."""
        netlist, stat = self.folder / f"{top}.net.v", self.folder / f"{top}.stat"
        lines = [f"read_liberty -lib -ignore_miss_func {stub}" for stub in [self.library.path, *self.stubs]]
        lines += ["read_verilog " + " ".join(str(s) for s in sources), f"hierarchy -check -top {top}"]
        lines += [f"setattr -mod -set keep_hierarchy 1 {module}" for module in keep]
        lines += [
            f"synth -flatten -top {top}",
            f"dfflibmap -liberty {self.library.path}",
            f"abc -liberty {self.library.path} -script {self.abc} -constr {self.constr}",
            "setundef -zero", "opt_clean -purge", f"insbuf -buf {' '.join(self.library.buffer)}", "splitnets", "opt_clean -purge",
            "rename -wire " + " ".join(f"t:{cell}" for cell in sorted(self.library.flip_flops)),
            f"tee -q -o {stat} stat -liberty {self.library.path}",
            f"write_verilog -noattr -noexpr -nodec -nohex {netlist}",
        ]
        script = self.folder / f"{top}.ys"
        script.write_text("\n".join(lines) + "\n")
        run(["yosys", "-q", script], self.folder, self.folder / f"{top}.yosys.log")
        return self._count(top, stat)

    def _count(self, top, stat):
        modules = {}
        for part in re.split(r"(?m)^=== ", stat.read_text())[1:]:
            name = part.split(" ")[0]
            if name != "design":
                cells = re.findall(r"(?m)^     (\S+) +(\d+)$", part)
                modules[name] = {kind.lstrip("\\"): int(count) for kind, count in cells}
        hard_area = dict(stub_area(stub) for stub in self.stubs)
        totals = {}

        def add(module, times):
            for kind, count in modules[module].items():
                if kind in modules:
                    add(kind, times * count)
                else:
                    totals[kind] = totals.get(kind, 0) + times * count

        add(top, 1)
        soft = {kind: count for kind, count in totals.items() if kind in self.library.area}
        hard = {kind: count for kind, count in totals.items() if kind in hard_area}
        unknown = sorted(totals.keys() - soft.keys() - hard.keys())
        if unknown:
            raise FlowError("cells are left that the library does not have", f"{stat}", ", ".join(unknown),
                            "name a Liberty file with flip-flops and simple gates")
        return Result(
            area_um2=sum(self.library.area[kind] * count for kind, count in soft.items()),
            hard_um2=sum(hard_area[kind] * count for kind, count in hard.items()),
            cells=sum(soft.values()),
            flip_flops=sum(count for kind, count in soft.items() if kind in self.library.flip_flops),
            hard=hard, kinds=soft,
        )

    def time(self, top, result, sdc=None, details=0):
        """Finds the shortest clock period without a violation; with `details`, the report of that many paths."""
        text = Path(sdc).read_text() if sdc else BLOCK_SDC
        start, setting = re.search(r"(?m)^set clock_ns ([\d.]+)$", text), "set clock_ns $flow_clock_ns"
        if not start:
            raise FlowError("the SDC file has no clock period", sdc, "no line `set clock_ns`", "generate it again")
        constraints = self.folder / f"{top}.sdc"
        constraints.write_text(text.replace(start[0], setting))
        reads = "\n".join(f"read_liberty {file}" for file in [self.library.path, *self.stubs])
        script = self.folder / f"{top}.tcl"
        # Delays outside are a share of the period, so the period that just fits is found in a few steps.
        script.write_text(f"""{reads}
read_verilog {self.folder / f'{top}.net.v'}
link_design {top}
set flow_clock_ns {start[1]}
for {{set step 0}} {{$step < 8}} {{incr step}} {{
  read_sdc {constraints}
  set slack [worst_slack -max]
  if {{abs($slack) < 0.001}} break
  set flow_clock_ns [expr {{$flow_clock_ns - $slack}}]
}}
puts "period $flow_clock_ns slack $slack"
report_checks -path_delay max -format full -group_count {max(details, 1)} -fields {{net}}
report_checks -path_delay max -format summary -group_count 2000
report_checks -path_delay min -format summary -group_count 3
""")
        log = self.folder / f"{top}.sta.log"
        printed = run(["sta", "-no_splash", "-exit", script], self.folder, log)
        errors = [line for line in printed.splitlines() if line.startswith("Error")]
        period = re.search(r"period ([\d.eE+-]+) slack", printed)
        if errors or not period:
            raise FlowError("static timing analysis failed", log, "; ".join(errors[:3]) or "no period", "read the log with --keep FOLDER")
        result.fmax_mhz = 1e3 / float(period[1])
        ends = re.search(r"Startpoint: (\S+)[\s\S]*?Endpoint: (\S+)", printed)
        # A register is called after its wire and its kind of flip-flop.
        result.path = re.sub(r"\\\\\w+", "", f"{ends[1]} -> {ends[2]}") if ends else ""
        return result
