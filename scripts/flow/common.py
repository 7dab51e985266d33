"""Running tools, generating a chip, errors."""

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PRESETS = ("tiny", "digits", "paper")


class FlowError(Exception):
    """One error, as all commands of the project print it."""

    def __init__(self, what, at, cause, fix):
        super().__init__(f"error: {what}\n  at:    {at}\n  cause: {cause}\n  fix:   {fix}")


def run(command, folder, log=None):
    """Runs a tool; gives what it printed, and writes it to the file `log`."""
    environment = dict(os.environ, LC_ALL="C")
    try:
        done = subprocess.run(
            [str(word) for word in command], cwd=folder, env=environment, text=True, errors="replace",
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
        )
    except OSError as e:
        raise FlowError("a tool cannot be started", command[0], e, "run scripts/setup synth") from None
    if log:
        Path(log).write_text(done.stdout)
    if done.returncode:
        tail = "\n         ".join(done.stdout.strip().splitlines()[-8:])
        raise FlowError(f"{Path(str(command[0])).name} failed", log or folder, tail, "read the whole log with --keep FOLDER")
    return done.stdout


def setup(purpose):
    """Installs what is missing."""
    done = subprocess.run([ROOT / "scripts/setup", purpose], check=False, stdout=sys.stderr)
    if done.returncode:
        raise SystemExit(done.returncode)


def basisn():
    """The program, built if need be."""
    cargo = ["cargo", "build", "--release", "--locked", "--quiet", "-p", "basisn", "--bin", "basisn"]
    done = subprocess.run(cargo, cwd=ROOT, check=False)
    if done.returncode:
        raise SystemExit(done.returncode)
    target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    return target / "release/basisn"


def generate(config, folder, changes=None, program=None):
    """Generates a chip below `folder`; `changes` are keys `section.name` of the configuration with other values; `program` is a basisn
    that is there already."""
    chip = config
    if changes:
        path = ROOT / f"presets/{config}.toml" if config in PRESETS else Path(config)
        text = path.read_text()
        for key, value in changes.items():
            name = key.split(".")[1]
            text, found = re.subn(rf"(?m)^{name} = \d+$", f"{name} = {value}", text)
            if found != 1:
                raise FlowError("a key of the configuration cannot be changed", f"{path}, {key}", f"found {found} times",
                                "name a key of the file")
        Path(folder).mkdir(parents=True, exist_ok=True)
        chip = Path(folder) / "chip.toml"
        chip.write_text(text)
    ip = Path(folder) / "ip"
    done = subprocess.run([program or basisn(), "generate", "--config", chip, "--out", ip], cwd=ROOT, check=False, text=True,
                          stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    if done.returncode:
        sys.stderr.write(done.stderr)
        raise SystemExit(done.returncode)
    return ip


def verilog(ip):
    """The emitted modules, by name, children first."""
    lines = (ip / "filelist.f").read_text().splitlines()
    files = [ip / line for line in lines if line and not line.startswith("//")]
    return {file.stem: file for file in files}


def table(rows, header):
    """Aligned columns; the first is text, the others are numbers."""
    rows = [header, *rows]
    widths = [max(len(str(row[i])) for row in rows) for i in range(len(header))]
    lines = []
    for row in rows:
        cells = [str(row[0]).ljust(widths[0]), *(str(c).rjust(w) for c, w in zip(row[1:], widths[1:]))]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)
