"""Two Verilog modules of the same name and ports, side by side in Icarus on the same random inputs."""

import re

from .common import FlowError, run

CYCLES = 30000
# Registers of a layer hold while it runs: they change with `start`, and are small enough for whole layers to pass.
LAYER = {"positions": 40, "block_positions": 12, "subvectors": 3, "rows_used": 64, "top_plane": 7}
RARE = {"reset": 4000, "start": 400, "flush": 900, "discard": 300}


def ports(text, name):
    """Direction, width and name of the ports of a module."""
    head = re.search(rf"\bmodule {name}\s*\(([\s\S]*?)\);", text)[1]
    found = re.findall(r"(?m)^\s*(input|output)\s+(?:wire|reg)\s*(?:signed\s*)?(?:\[(\d+):0\]\s*)?(\w+)", head)
    return [(direction, int(msb or 0) + 1, port) for direction, msb, port in found]


def equal(name, emitted, written, hard, folder):
    """Runs both; an error if an output ever differs."""
    all_ports = ports(dict((f.stem, f) for f in emitted)[name].read_text(), name)
    copy = folder / f"{name}.written.v"
    # The names of the hand-written modules get a suffix, so that both fit into one simulation.
    names = {file.stem for file in written}
    copy.write_text("".join(
        re.sub(rf"\b({'|'.join(names)})\b(?=\s*(\w+\s*)?\()", r"\1_written", file.read_text()) for file in written))
    inputs = [(w, p) for d, w, p in all_ports if d == "input" and p != "clock"]
    outputs = [(w, p) for d, w, p in all_ports if d == "output"]
    declare = [f"reg [{w - 1}:0] {p} = 0;" for w, p in inputs]
    declare += [f"wire [{w - 1}:0] {p}_a, {p}_b;" for w, p in outputs]
    drive = []
    for width, port in inputs:
        words = "{" + ", ".join(["$urandom"] * ((width + 31) // 32)) + "}"
        if port in RARE:
            drive.append(f"{port} <= $urandom % {RARE[port]} == 0 || cycle < {4 if port == 'reset' else 0};")
        elif port in LAYER:
            drive.append(f"if ($urandom % 300 == 0) {port} <= 1 + $urandom % {LAYER[port]};")
        else:
            drive.append(f"{port} <= {words};")
    bind = lambda side: ", ".join([".clock(clock)", *(f".{p}({p})" for _, p in inputs), *(f".{p}({p}_{side})" for _, p in outputs)])
    differs = " || ".join(f"{p}_a !== {p}_b" for _, p in outputs)
    changes = " + ".join(f"(^{p}_a === 1'b1)" for _, p in outputs)
    bench = folder / f"{name}.bench.v"
    bench.write_text("\n".join([
        "module bench;", "reg clock = 0;", "integer cycle = 0, activity = 0;", *declare,
        f"{name} emitted ({bind('a')});", f"{name}_written written ({bind('b')});", "always #1 clock = !clock;",
        "always @(posedge clock) begin", "cycle <= cycle + 1;", *drive, "end",
        "always @(negedge clock) if (cycle > 4) begin", f"activity = activity + {changes};",
        f'if ({differs}) begin $display("differs in cycle %0d", cycle); $finish; end',
        f'if (cycle == {CYCLES}) begin $display("equal, activity %0d", activity); $finish; end', "end", "endmodule", ""]))
    run(["iverilog", "-g2012", "-o", folder / f"{name}.vvp", bench, copy, *emitted, *hard], folder)
    printed = run(["vvp", "-n", folder / f"{name}.vvp"], folder)
    activity = re.search(r"equal, activity (\d+)", printed)
    if not activity or int(activity[1]) < CYCLES // 100:
        raise FlowError(f"emitted and hand-written {name} differ", bench, printed.strip(), "change the one in hdl/reference")
