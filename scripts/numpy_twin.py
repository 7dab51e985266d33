"""A bit-serial model of one layer in NumPy: the usual way to write one, as a yardstick for the golden reference.

usage: numpy_twin.py FOLDER, with the files of `cargo bench -p basisn-models --bench golden -- --write FOLDER`
"""
import sys
import time
from pathlib import Path

import numpy as np

ROWS, KERNELS, PLANES, LOW, HIGH = 128, 128, 8, -128, 127


def layer(patches, weights):
    """Partial sums [position, kernel]: one matrix product and one ADC for every input plane of every subvector."""
    psums = np.zeros((patches.shape[0], KERNELS), np.float32)
    for subvector, matrix in enumerate(weights):
        rows = patches[:, subvector * ROWS : (subvector + 1) * ROWS]
        for plane in range(PLANES):
            bits = ((rows >> plane) & 1).astype(np.float32)
            psums += np.clip(bits @ matrix, LOW, HIGH) * np.float32(1 << plane)
    return psums


def main(folder):
    weights = np.fromfile(folder / "weights.i16", "<i2").reshape(-1, KERNELS, ROWS)
    patches = np.fromfile(folder / "patches.u8", np.uint8).reshape(-1, weights.shape[0] * ROWS)
    weights = np.ascontiguousarray(weights.transpose(0, 2, 1)).astype(np.float32)
    expected = np.fromfile(folder / "psums.i64", "<i8").reshape(KERNELS, -1).T
    if not np.array_equal(layer(patches, weights).astype(np.int64), expected):
        sys.exit("the twin does not give what the golden reference gives")
    macs = patches.size * KERNELS
    rates = []
    for _ in range(9):
        start = time.process_time()
        for _ in range(4):
            layer(patches, weights)
        rates.append(4 * macs / (time.process_time() - start))
    print(f"NumPy twin, ideal, dense, one thread: {sorted(rates)[4] / 1e9:.3f} GMAC per processor second")


main(Path(sys.argv[1]))
