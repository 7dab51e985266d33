"""What a flow needs to know of a Liberty file."""

import re
from pathlib import Path

from .common import FlowError

OSU018 = Path("/usr/share/qflow/tech/osu018/osu018_stdcells.lib")


class Library:
    """Standard cells."""

    def __init__(self, path=OSU018):
        self.path = Path(path).resolve()
        try:
            text = self.path.read_text(errors="replace")
        except OSError as e:
            raise FlowError("the Liberty file cannot be read", path, e.strerror, "name a Liberty file, or leave out --liberty") from None
        cells = re.split(r"\bcell\s*\(\s*\"?", text)[1:]
        self.area, self.flip_flops, buffers = {}, set(), []
        for cell in cells:
            name = re.match(r"[\w.$]+", cell)[0]
            area = re.search(r"\barea\s*:\s*([\d.eE+-]+)", cell)
            self.area[name] = float(area[1]) if area else 0.0
            if re.search(r"\bff\s*\(", cell):
                self.flip_flops.add(name)
            if re.search(r"buf", name, re.I) and not re.search(r"clk|tbuf|_is|inv", name, re.I):
                pins = dict(re.findall(r"\bpin\s*\(\s*\"?(\w+)\"?\s*\)[\s\S]*?\bdirection\s*:\s*\"?(\w+)", cell))
                ways = {direction: pin for pin, direction in pins.items()}
                if len(pins) == 2 and len(ways) == 2:
                    buffers.append((self.area[name], name, ways["input"], ways["output"]))
        if not self.flip_flops:
            raise FlowError("the Liberty file has no flip-flop", path, f"{len(cells)} cells, none with an ff group",
                            "name the Liberty file of a library of standard cells")
        if not buffers:
            raise FlowError("the Liberty file has no buffer", path, f"{len(cells)} cells, none that is called a buffer",
                            "name the Liberty file of a library of standard cells")
        # The largest drives the inputs of a block; the smallest stands between ports that are one wire.
        self.driver, self.buffer = max(buffers)[1], min(buffers)[1:]


def stub_area(path):
    """Name and area in um2 of the cell of a generated stub."""
    text = Path(path).read_text()
    return re.search(r"cell \((\w+)\)", text)[1], float(re.search(r"area : ([\d.]+);", text)[1])
