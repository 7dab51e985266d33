"""From simulations of the core to WaveDrom timing diagrams."""

import json
import subprocess
from dataclasses import dataclass

from .common import FlowError, generate, run, verilog

# A slow macro, so that its handshakes show.
SLOW = {"crossbar.read_interval_cycles": 3, "crossbar.read_latency_cycles": 5, "crossbar.program_cycles": 3}
TOP = {"stream": "stream_tb.core", "axi": "axi_tb.core"}


@dataclass
class Diagram:
    """A window of a simulation.

    Rows are groups of (path below the core,) for a bit; for a bus, besides, the path of the bit that makes it worth showing or None, and
    that of the ready bit with which a new value begins. The window starts `before` cycles before the `nth` cycle in which all of `when`
    are 1, and is `cycles` long.
    """

    simulation: str
    when: list
    nth: int
    before: int
    cycles: int
    groups: list
    title: str


MACRO, TILE = "tile_0.rram_macro", "tile_0"
DIAGRAMS = {
    "axi-write": Diagram("axi", ["s_axil_awvalid"], 1, 1, 16, [
        ("AW", [("s_axil_awvalid",), ("s_axil_awready",), ("s_axil_awaddr", "s_axil_awvalid")]),
        ("W", [("s_axil_wvalid",), ("s_axil_wready",), ("s_axil_wdata", "s_axil_wvalid")]),
        ("B", [("s_axil_bvalid",), ("s_axil_bready",), ("s_axil_bresp", "s_axil_bvalid")]),
    ], "POSITIONS = 0x51; then a write to 0x00, which is read only: SLVERR, taken late"),
    "axi-read": Diagram("axi", ["s_axil_arvalid"], 1, 1, 12, [
        ("AR", [("s_axil_arvalid",), ("s_axil_arready",), ("s_axil_araddr", "s_axil_arvalid")]),
        ("R", [("s_axil_rvalid",), ("s_axil_rready",), ("s_axil_rdata", "s_axil_rvalid"), ("s_axil_rresp", "s_axil_rvalid")]),
    ], "ID; POSITIONS, taken late; then 0xfc, where no register is: SLVERR"),
    "macro-read": Diagram("slow", [f"{MACRO}.read_valid"], 1, 2, 14, [
        ("read", [(f"{MACRO}.read_valid",), (f"{MACRO}.read_ready",), (f"{MACRO}.wordlines", f"{MACRO}.read_valid"),
                  (f"{MACRO}.column_enable", f"{MACRO}.read_valid")]),
        ("codes", [(f"{MACRO}.code_valid",), (f"{MACRO}.codes", f"{MACRO}.code_valid")]),
    ], "read latency 5, read interval 3"),
    "macro-program": Diagram("slow", [f"{MACRO}.program_valid"], 1, 1, 16, [
        ("program", [(f"{MACRO}.program_valid",), (f"{MACRO}.program_ready",), (f"{MACRO}.program_row", f"{MACRO}.program_valid"),
                     (f"{MACRO}.program_column", f"{MACRO}.program_valid"), (f"{MACRO}.program_level", f"{MACRO}.program_valid"),
                     (f"{MACRO}.program_op", f"{MACRO}.program_valid")]),
        ("read", [(f"{MACRO}.read_ready",)]),
    ], "3 cycles of write and verify for each cell"),
    "read-pipeline": Diagram("fast", ["sequencer.input_read"], 1, 1, 20, [
        ("sequencer", [("sequencer.input_read",), ("sequencer.input_position", "sequencer.input_read"), ("sequencer.plane", None),
                       ("sequencer.read_valid",), (f"{MACRO}.wordlines", "sequencer.read_valid")]),
        ("codes", [(f"{MACRO}.code_valid",), (f"{MACRO}.codes", f"{MACRO}.code_valid")]),
        ("lane 1", [(f"{TILE}.lane_1.term_load",), (f"{TILE}.lane_1.update_valid",),
                    (f"{TILE}.lane_1.update_address", f"{TILE}.lane_1.update_valid"),
                    (f"{TILE}.lane_1.update_value", f"{TILE}.lane_1.update_valid")]),
    ], "the first reads of a layer: read latency 2, a read in every cycle"),
    "slot-hand-over": Diagram("fast", ["sequencer.slot_take"], 2, 12, 24, [
        ("slot stream", [("s_axis_slot_tvalid",), ("s_axis_slot_tready",), ("s_axis_slot_tdata", "s_axis_slot_tvalid", "s_axis_slot_tready")]),
        ("buffer", [(f"{TILE}.slot_loaded",), ("sequencer.slot_take",)]),
        ("macro", [("sequencer.read_valid",), (f"{MACRO}.column_enable", "sequencer.read_valid"), (f"{MACRO}.code_valid",)]),
        ("items", [(f"{TILE}.tile_controller.code_slot_first",), (f"{TILE}.tile_controller.item_valid", None)]),
    ], "the next slot waits in the coefficient buffer; the switches change between two reads, the items when its codes come"),
    "result-stream": Diagram("stalled", ["m_axis_out_tvalid", "m_axis_out_tlast"], 1, 16, 22, [
        ("results", [("m_axis_out_tvalid",), ("m_axis_out_tready",), ("m_axis_out_tdata", "m_axis_out_tvalid", "m_axis_out_tready"),
                     ("m_axis_out_tlast", "m_axis_out_tvalid")]),
    ], "a receiver that is not ready in every cycle: data stay until they are taken"),
}


def diagrams(folder, sources, program=None):
    """All diagrams by name; `sources` has axi_tb.v."""
    tiny = generate("tiny", folder / "tiny", None, program)
    slow = generate("tiny", folder / "slow", SLOW, program)
    simulations = {
        "fast": simulate(tiny, tiny / "sim/stream_tb.v", "stream_tb", folder / "fast.vcd"),
        "stalled": simulate(tiny, tiny / "sim/stream_tb.v", "stream_tb", folder / "stalled.vcd", 40),
        "slow": simulate(slow, slow / "sim/stream_tb.v", "stream_tb", folder / "slow.vcd"),
        "axi": simulate(tiny, sources / "axi_tb.v", "axi_tb", folder / "axi.vcd"),
    }
    return {name: wavedrom(name, diagram, simulations[diagram.simulation]) for name, diagram in DIAGRAMS.items()}


def simulate(ip, bench, top, vcd, stall=0):
    """Runs a testbench in Icarus; gives the core's signals, cycle by cycle, by their path below the core."""
    dump = vcd.with_suffix(".v")
    dump.write_text(f'module dump;\ninitial begin $dumpfile("{vcd}"); $dumpvars(0, {top}); end\nendmodule\n')
    body = next((ip / "sim/portable").glob("*.v"))
    program = vcd.with_suffix(".vvp")
    run(["iverilog", "-g2012", "-s", top, "-s", "dump", "-o", program, *verilog(ip).values(), body, bench, dump], vcd.parent)
    printed = run(["vvp", "-n", program, f"+vectors={ip / 'sim/vectors'}", f"+stall={stall}"], vcd.parent)
    if "PASS" not in printed:
        raise FlowError("a simulation for the timing diagrams failed", bench, printed.strip()[-300:], "run the tests of the core")
    return cycles(vcd, f"{top}.core.")


def cycles(vcd, below):
    """Values before each rising edge of `clock`: one dictionary a cycle, from path to a string of bits."""
    paths, now, found, scope, width = {}, {}, [], [], {}
    clock, before, rising = None, {}, False
    with open(vcd) as lines:
        for line in lines:
            if line.startswith("$scope"):
                scope.append(line.split()[2])
            elif line.startswith("$upscope"):
                scope.pop()
            elif line.startswith("$var"):
                words = line.split()
                path = ".".join([*scope, words[4]])
                if path.startswith(below):
                    paths.setdefault(words[3], []).append(path[len(below):])
                    width[words[3]] = int(words[2])
                if path == f"{below}clock":
                    clock = words[3]
            elif line.startswith("#"):
                if rising:
                    found.append({path: value for key, value in before.items() for path in paths[key]})
                before, rising = dict(now), False
            elif line[0] in "01xz" or line[0] == "b":
                value, key = line[1:].split() if line[0] == "b" else (line[0], line[1:].strip())
                if key in width:
                    rising |= key == clock and value == "1" and now.get(key) == "0"
                    # Leading zeros are left out; x and z extend.
                    now[key] = value.rjust(width[key], value[0] if value[0] in "xz" else "0")
    return found


def wavedrom(name, diagram, simulation):
    """The window as a WaveDrom object."""
    def value(cycle, path):
        if path not in cycle:
            raise FlowError("a timing diagram shows a signal that the core does not have", f"{name}: {path}",
                            "the Verilog has changed", "change DIAGRAMS in scripts/flow/waves.py")
        return cycle[path]

    hits = [i for i, cycle in enumerate(simulation) if all(value(cycle, path) == "1" for path in diagram.when)]
    if len(hits) < diagram.nth:
        raise FlowError("a timing diagram's moment does not come", f"{name}: {' and '.join(diagram.when)}",
                        f"{len(hits)} times in {len(simulation)} cycles", "change DIAGRAMS in scripts/flow/waves.py")
    start = max(hits[diagram.nth - 1] - diagram.before, 0)
    window = simulation[start:start + diagram.cycles]
    signal = [{"name": "clock", "wave": "p" + "." * (len(window) - 1)}]
    for group, rows in diagram.groups:
        drawn = []
        for path, *valid in rows:
            bits = [value(cycle, path) for cycle in window]
            shown = [not valid or valid[0] is None or value(cycle, valid[0]) == "1" for cycle in window]
            taken = [len(valid) > 1 and value(cycle, valid[1]) == "1" for cycle in window]
            drawn.append(row(path.rsplit(".", 1)[-1], bits, shown, taken, bus=bool(valid)))
        signal.append([group, *drawn])
    return {"signal": signal, "head": {"text": diagram.title, "tick": 0}, "config": {"hscale": 1}}


def row(name, bits, shown, taken, bus):
    """One line of a diagram; a bus is `x` where its value has no meaning, and of a long value only the end is shown."""
    wave, data, last = "", [], None
    for value, meant, leaves in zip(bits, shown, taken):
        known = "x" not in value and "z" not in value
        state = (value if bus else value[-1]) if meant and known else "x"
        if state == last:
            wave += "."
        elif state == "x" or not bus or len(value) == 1:
            wave += state
        else:
            wave += "="
            digits = f"{int(state, 2):x}"
            data.append(digits if len(digits) < 5 else f"..{digits[-3:]}")
        last = None if leaves and state != "x" else state
    return {"name": name, "wave": wave, **({"data": data} if data else {})}


def text(diagram):
    """The JSON of a diagram, a signal a line."""
    def rows(items, indent):
        lines = []
        for item in items:
            if isinstance(item, list):
                lines.append(f"{indent}[{json.dumps(item[0])},\n{rows(item[1:], indent + '  ')}\n{indent}]")
            else:
                lines.append(indent + json.dumps(item))
        return ",\n".join(lines)

    rest = ",\n".join(f"  {json.dumps(key)}: {json.dumps(diagram[key])}" for key in ("head", "config"))
    return f"{{\n  \"signal\": [\n{rows(diagram['signal'], '    ')}\n  ],\n{rest}\n}}\n"


RENDER = """
import sys, wavedrom
print(wavedrom.render(open(sys.argv[1]).read()).tostring())
"""


def render(source, python):
    """The SVG of a WaveDrom file, on white, so that it can be read on a dark page too."""
    done = subprocess.run([python, "-c", RENDER, source], text=True, capture_output=True, check=False)
    if done.returncode:
        raise FlowError("wavedrom cannot render a diagram", source, done.stderr.strip()[-300:], "run scripts/venv")
    head, rest = done.stdout.strip().split(">", 1)
    return f'{head}><rect width="100%" height="100%" fill="white"/>{rest}\n'
