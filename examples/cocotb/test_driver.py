"""The driver in C, examples/driver, runs layers on basisn_core: its register accesses go over AXI4-Lite, the streams as a DMA would move
them. A stream that ends early stops a layer; the driver recovers, and the next layer is right.

Environment: as test_core.py; DRIVER, the driver as a shared library. examples/cocotb/run.py --driver sets them.
"""

import ctypes as c
import json
import os

import cocotb
from cocotb.task import bridge, resume
from cocotb.triggers import RisingEdge, with_timeout
from cocotbext.axi import AxiResp, AxiStreamFrame
from test_core import LAYERS, REGISTERS, VECTORS, Core, beats, writes

OK, STOPPED = 0, -4
WRITE = c.CFUNCTYPE(c.c_int, c.c_void_p, c.c_uint32, c.c_uint32)
READ = c.CFUNCTYPE(c.c_int, c.c_void_p, c.c_uint32, c.POINTER(c.c_uint32))


class Bus(c.Structure):
    _fields_ = [("context", c.c_void_p), ("write", WRITE), ("read", READ)]


class Parameter(c.Structure):
    _fields_ = [("offset", c.c_int64), ("multiplier", c.c_int16)]


class Layer(c.Structure):
    _fields_ = [
        *((name, c.c_uint32) for name in (
            "positions", "block_positions", "subvectors", "rows_used", "input_planes", "input_signed", "gain", "kernels", "tiles", "shift", "raw")),
        ("clamp_low", c.c_int32), ("clamp_high", c.c_int32), ("parameters", c.POINTER(Parameter)), ("parameter_count", c.c_uint32),
    ]


class Fault(c.Structure):
    _fields_ = [("code", c.c_uint32), ("place", c.c_uint32)]


class FailedCell(c.Structure):
    _fields_ = [("tile", c.c_uint32), ("row", c.c_uint32), ("column", c.c_uint32), ("level", c.c_int32), ("code", c.c_int32)]


FAILED = c.CFUNCTYPE(None, c.POINTER(FailedCell))


def signed(value, bits):
    return value - ((value & 1 << bits - 1) << 1)


def field(name, value):
    mask = REGISTERS[f"{name}_MASK"]
    return (value & mask) // (mask & -mask)


def layer(folder):
    """The layer that the register writes of the vectors describe."""
    listed = writes(folder / "registers.hex")
    last = dict(listed)
    of = {name: last[REGISTERS[name]] for name in (
        "POSITIONS", "BLOCK_POSITIONS", "SUBVECTORS", "ROWS_USED", "INPUT", "GAIN", "KERNELS", "TILES", "REQUANTIZE", "CLAMP_LOW", "CLAMP_HIGH")}
    low = [value for address, value in listed if address == REGISTERS["PARAMETER_LOW"]]
    high = [value for address, value in listed if address == REGISTERS["PARAMETER_HIGH"]]
    parameters = [
        Parameter(signed(field("PARAMETER_HIGH_OFFSET_HIGH", h) << 32 | l, 48), signed(field("PARAMETER_HIGH_MULTIPLIER", h), 16))
        for l, h in zip(low, high, strict=True)]
    return Layer(
        of["POSITIONS"], of["BLOCK_POSITIONS"], of["SUBVECTORS"], of["ROWS_USED"], field("INPUT_PLANES", of["INPUT"]),
        field("INPUT_SIGNED", of["INPUT"]), of["GAIN"], of["KERNELS"], of["TILES"], field("REQUANTIZE_SHIFT", of["REQUANTIZE"]),
        field("REQUANTIZE_RAW", of["REQUANTIZE"]), signed(of["CLAMP_LOW"], 32), signed(of["CLAMP_HIGH"], 32),
        (Parameter * len(parameters))(*parameters), len(parameters))


class Driver:
    """The functions of basisn.h on a core; each call runs beside the simulation and comes back when C does."""

    def __init__(self, core):
        self.library = c.CDLL(os.environ["DRIVER"])

        @resume
        async def write(address, value):
            return (await core.axil.write(address, value.to_bytes(4, "little"))).resp

        @resume
        async def read(address):
            answer = await core.axil.read(address, 4)
            return answer.resp, int.from_bytes(answer.data, "little")

        def read_into(_, address, place):
            response, place[0] = read(address)
            return response != AxiResp.OKAY

        self.bus = Bus(None, WRITE(lambda _, address, value: write(address, value) != AxiResp.OKAY), READ(read_into))

    async def call(self, name, *arguments):
        function = getattr(self.library, f"basisn_{name}")

        @bridge
        def called():
            return function(c.byref(self.bus), *arguments)

        return await called()


@cocotb.test()
async def the_driver_runs_layers_and_recovers(dut):
    index = json.loads((VECTORS / "vectors.json").read_text())
    core = Core(dut, 0.2)
    await core.reset()
    driver = Driver(core)
    size = (index["config"]["crossbar.rows"], index["config"]["crossbar.columns"])
    assert await driver.call("identify", size[0] + 1, size[1]) == -2
    assert await driver.call("identify", *size) == OK
    levels = [signed(value & 0xFF, 8) for address, value in writes(VECTORS / index["program"]) if address == REGISTERS["PROGRAM_LEVEL"]]
    failures = []
    failed = FAILED(lambda cell: failures.append((cell[0].tile, cell[0].row, cell[0].column, cell[0].level)))

    async def write_cells(rows, levels, max_pulses):
        assert await driver.call("set_verification", max_pulses, 8) == OK
        assert await driver.call("write_cells", rows, size[1], (c.c_int8 * len(levels))(*levels), failed) == OK

    # To the other sign it takes two pulses, by way of level 0.
    opposite = [-level for level in levels[: size[1]]]
    await write_cells(1, levels[: size[1]], 4)
    assert not failures
    await write_cells(1, opposite, 1)
    assert failures == [(0, 0, column, level) for column, level in enumerate(opposite)], failures
    failures.clear()
    await write_cells(size[0], levels, 4)
    assert not failures

    async def run(folder, cut=0):
        """Runs a layer, whose slot stream may lack the last bytes; gives how it ended, why, and the results."""
        assert await driver.call("start", c.byref(layer(folder))) == OK
        slots = beats(folder / "slots.hex")
        await core.slots.send(AxiStreamFrame(slots[: len(slots) - cut]))
        await core.activations.send(AxiStreamFrame(beats(folder / "activations.hex")))
        frame = await with_timeout(core.results.recv(), 10, "ms")
        fault = Fault()
        while (ended := await driver.call("finish", c.byref(fault))) == -3:
            await with_timeout(RisingEdge(dut.irq), 1, "ms")
        assert not dut.irq.value
        return ended, fault.code, bytes(frame.tdata)

    ran = 0
    for listed in index["runs"]:
        if LAYERS and listed["layer"] not in LAYERS:
            continue
        folder = VECTORS / listed["folder"]
        ended, code, _ = await run(folder, cut=len(dut.s_axis_slot_tdata) // 8)
        assert (ended, code) == (STOPPED, REGISTERS["ERROR_SLOT_EARLY"]), f"{ended}, error {code}"
        await core.slots.wait()
        await core.activations.wait()
        assert await driver.call("recover") == OK
        ended, code, results = await run(folder)
        assert (ended, code) == (OK, 0), f"{ended}, error {code}"
        assert results == beats(folder / "results.hex"), f"{listed}: {len(results)} bytes of results, or wrong ones"
        ran += 1
    assert ran > 0, f"no layer is named {LAYERS}"
    cocotb.log.info("PASS: %d layers, each stopped by an error first", ran)
