"""Runs the layers of a network on basisn_core, over AXI with random stalls, and compares every result.

Environment: VECTORS, the folder that `basisn simulate --dump-vectors` wrote; LAYERS, names separated by commas (all by default);
BASISN_SEED. examples/cocotb/run.py sets them.
"""

import json
import logging
import os
import random
import re
from pathlib import Path

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import ClockCycles, RisingEdge, with_timeout
from cocotbext.axi import AxiLiteBus, AxiLiteMaster, AxiResp, AxiStreamBus, AxiStreamFrame, AxiStreamSink, AxiStreamSource

VECTORS = Path(os.environ["VECTORS"])
LAYERS = [name for name in os.environ.get("LAYERS", "").split(",") if name]
SEED = int(os.environ.get("BASISN_SEED", "1"))
HEADER = Path(os.environ["IP"]) / "registers.h"

# The register map as the C driver has it: name to address, or to the mask of a field.
REGISTERS = {name: int(value, 0) for name, value in re.findall(r"#define BASISN_(\w+) (0x\w+|\d+)u", HEADER.read_text())}


def beats(file):
    """The beats of a stream, byte 0 of each first."""
    return b"".join(bytes.fromhex(line)[::-1] for line in file.read_text().split())


def writes(file):
    return [(int(line[:2], 16), int(line[2:], 16)) for line in file.read_text().split()]


class Core:
    """The core's interfaces, each with stalls of its own."""

    def __init__(self, dut, stall):
        rng = random.Random(SEED)
        logging.getLogger(f"cocotb.{dut._name}").setLevel(logging.WARNING)
        self.dut = dut
        cocotb.start_soon(Clock(dut.clock, 10, unit="ns").start())
        self.axil = AxiLiteMaster(AxiLiteBus.from_prefix(dut, "s_axil"), dut.clock, dut.reset)
        self.slots = AxiStreamSource(AxiStreamBus.from_prefix(dut, "s_axis_slot"), dut.clock, dut.reset)
        self.activations = AxiStreamSource(AxiStreamBus.from_prefix(dut, "s_axis_act"), dut.clock, dut.reset)
        self.results = AxiStreamSink(AxiStreamBus.from_prefix(dut, "m_axis_out"), dut.clock, dut.reset)
        channels = [self.axil.write_if.aw_channel, self.axil.write_if.w_channel, self.axil.write_if.b_channel]
        channels += [self.axil.read_if.ar_channel, self.axil.read_if.r_channel]
        if stall:
            for channel in [*channels, self.slots, self.activations, self.results]:
                channel.set_pause_generator(self.stalls(random.Random(rng.random()), stall))

    @staticmethod
    def stalls(rng, probability):
        while True:
            yield rng.random() < probability

    async def reset(self):
        self.dut.reset.value = 1
        await ClockCycles(self.dut.clock, 4)
        self.dut.reset.value = 0
        await RisingEdge(self.dut.clock)

    async def write(self, address, value):
        answer = await self.axil.write(address, value.to_bytes(4, "little"))
        assert answer.resp == AxiResp.OKAY, f"write of 0x{address:02x} answers {answer.resp}"

    async def read(self, address):
        answer = await self.axil.read(address, 4)
        assert answer.resp == AxiResp.OKAY, f"read of 0x{address:02x} answers {answer.resp}"
        return int.from_bytes(answer.data, "little")

    async def run_layer(self, folder):
        """Everything a driver does for a layer; gives the result stream as one frame."""
        for address, value in writes(folder / "registers.hex"):
            await self.write(address, value)
        # One frame each: the sources raise tlast with the last beat.
        await self.slots.send(AxiStreamFrame(beats(folder / "slots.hex")))
        await self.activations.send(AxiStreamFrame(beats(folder / "activations.hex")))
        frame = await with_timeout(self.results.recv(), 10, "ms")
        if not self.dut.irq.value:
            await with_timeout(RisingEdge(self.dut.irq), 1, "us")
        await self.write(REGISTERS["IRQ_PENDING"], REGISTERS["IRQ_PENDING_DONE_MASK"])
        assert await self.read(REGISTERS["STATUS"]) & REGISTERS["STATUS_BUSY_MASK"] == 0
        return bytes(frame.tdata)


async def run(dut, stall):
    cocotb.log.info("BASISN_SEED=%d", SEED)
    index = json.loads((VECTORS / "vectors.json").read_text())
    core = Core(dut, stall)
    await core.reset()
    assert await core.read(REGISTERS["ID"]) == REGISTERS["ID_VALUE"]
    geometry = await core.read(REGISTERS["GEOMETRY0"])
    config = index["config"]
    assert (geometry & 0xFFFF, geometry >> 16) == (config["crossbar.rows"], config["crossbar.columns"])
    for address, value in writes(VECTORS / index["program"]):
        await core.write(address, value)
    await core.write(REGISTERS["IRQ_ENABLE"], REGISTERS["IRQ_ENABLE_DONE_MASK"])

    compared = 0
    for layer in index["runs"]:
        if LAYERS and layer["layer"] not in LAYERS:
            continue
        results = await core.run_layer(VECTORS / layer["folder"])
        expected = beats(VECTORS / layer["folder"] / "results.hex")
        assert results == expected, f"{layer}: {len(results)} bytes of results, {len(expected)} expected, or wrong ones"
        cycles, reads = await core.read(REGISTERS["CYCLES"]), await core.read(REGISTERS["READS"])
        compared += len(results) // 8
        cocotb.log.info("%s: %d results, %d cycles, %d reads", layer["folder"], len(results) // 8, cycles, reads)
    assert compared > 0, f"no layer is named {LAYERS}"
    cocotb.log.info("PASS: %d results with stalls in %d %% of the cycles", compared, 100 * stall)


@cocotb.test()
async def without_stalls(dut):
    await run(dut, 0.0)


@cocotb.test()
async def with_stalls(dut):
    await run(dut, 0.4)
