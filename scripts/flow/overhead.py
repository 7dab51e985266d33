"""Share of BasisN's own hardware in a tile: what an ordinary crossbar with ADCs, lanes and psum banks does not have."""

import json
import re

from . import common
from .common import FlowError

# Blocks of a tile and what an ordinary accelerator has of them.
OWN = ("coefficient_buffer", "slot_check", "tile_controller")
OF_LANE = ("accumulation_lane", "psum_bank")
# Write-verify is there wherever cells are written.
SHARED = ("psum_select", "verify_compare")


def shares(flow, ip, as_json):
    modules = common.verilog(ip)
    of_tile = set(re.findall(r"(?m)^    (\w+) \w+ \($", modules["tile"].read_text()))
    unknown = {name for name in of_tile if not name.startswith("rram_macro_")} - {*OWN, *OF_LANE, *SHARED}
    if unknown:
        raise FlowError("a part of the tile is in no share", modules["tile"], ", ".join(sorted(unknown)), "add it to scripts/flow/overhead.py")
    sources = [file for name, file in modules.items() if not name.startswith("memory_")]
    stub = next((ip / "syn").glob("rram_macro_*.lib"))
    parts = re.search(r"Area in um2: array (\d+), wordline drivers (\d+), ADCs (\d+), switches (\d+);", stub.read_text())
    if not parts:
        raise FlowError("the macro's area has no parts", stub, "no line `Area in um2`", "generate it again")
    array, drivers, adcs, switches = map(int, parts.groups())
    lanes = int(re.search(r"_l(\d+)_", stub.stem)[1])
    results = {name: flow.synthesize(name, sources) for name in (*OWN, *OF_LANE, *SHARED)}
    areas = {name: results[name].area_um2 * (lanes if name in OF_LANE else 1) for name in results}
    areas["psum memories"] = results["psum_bank"].hard_um2 * lanes
    areas["macro: array and drivers"] = array + drivers
    areas["macro: ADCs"] = adcs
    areas["macro: switches"] = switches
    tile = sum(areas.values())
    own = sum(areas[name] for name in (*OWN, "macro: switches"))
    rows = [(name, round(area), f"{100 * area / tile:.1f} %", "yes" if name in OWN or name == "macro: switches" else "")
            for name, area in sorted(areas.items(), key=lambda item: -item[1])]
    if as_json:
        print(json.dumps({"areas_um2": {name: round(area) for name, area in areas.items()}, "tile_um2": round(tile),
                          "own_um2": round(own), "own_share": round(own / tile, 4),
                          "own_share_without_psum_memories": round(own / (tile - areas["psum memories"]), 4)}, indent=1))
    else:
        print(common.table(rows, ("part of a tile", "area um2", "share", "only BasisN")))
        rest = tile - areas["psum memories"]
        print(f"\ntile {tile:.0f} um2; BasisN's own hardware {own:.0f} um2, {100 * own / tile:.1f} % of it")
        print(f"without the psum memories {rest:.0f} um2; {100 * own / rest:.1f} % of that")
    return 0
