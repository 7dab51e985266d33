"""Learned basis of BasisN against MiniBatchDictionaryLearning + orthogonal_mp_gram, at equal nonzeros, cells and coefficients.

Both get the same weights and end with the same kind of numbers: cells of m bits, coefficients of J canonical signed digits planes,
at most s of them in a subvector, and one float scale a kernel. scikit-learn works on real numbers; they are quantized after it, as well as rounding can: one
scale for all cells and one for every kernel, each the best of a grid, then the kernel's scale in closed form.
"""

import json
import os
import resource
import subprocess
import sys
import tempfile
import time

import numpy as np
from sklearn.decomposition import MiniBatchDictionaryLearning
from sklearn.linear_model import orthogonal_mp_gram

KERNELS, CHANNELS = 256, 64
ROWS = 64
COLUMNS = 128
PLANES = 3
# Largest integer of so many planes in canonical signed digits.
COEFFICIENT_MAX = {1: 1, 2: 2, 3: 5, 4: 10}[PLANES]


def weights(seed):
    """Kernels of 3 x 3 that are smooth in space and share structure among channels, as trained ones do; normal noise on top."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[-1:2, -1:2]
    shapes = np.stack([np.ones((3, 3)), x, y, x * y, x * x - y * y])
    mixing = random.normal(size=(KERNELS, CHANNELS, 5)) * [1, 0.7, 0.7, 0.4, 0.4]
    shared = random.normal(size=(24, CHANNELS, 5)) * [1, 0.7, 0.7, 0.4, 0.4]
    mixing = 0.5 * mixing + np.einsum("kb,bcs->kcs", random.laplace(size=(KERNELS, 24)) / 5, shared)
    kernels = np.einsum("kcs,sij->kcij", mixing, shapes) + 0.2 * random.normal(size=(KERNELS, CHANNELS, 3, 3))
    return (0.05 * kernels).reshape(KERNELS, -1).astype(np.float32)


def snr_db(signal, noise):
    return 10 * np.log10(np.sum(signal**2) / np.sum(noise**2))


def quantized(kernels, dictionary, codes, cell_bits):
    """Error in dB after cells and coefficients are rounded; codes are [subvector, column], some subvectors a kernel."""
    level_max = 2 ** (cell_bits - 1) - 1
    unit = dictionary / np.abs(dictionary).max()
    steps = [np.clip(np.round(unit * level_max * g), -level_max, level_max) for g in np.linspace(1, 3, 21)]
    fitted = [np.sum(c * unit) / max(np.sum(c * c), 1e-30) for c in steps]
    cells, scale = min(zip(steps, fitted), key=lambda p: np.sum((p[0] * p[1] - unit) ** 2))
    codes = codes * np.abs(dictionary).max() * scale
    per_kernel = len(codes) // len(kernels)
    noise = np.empty_like(kernels)
    for k, kernel in enumerate(kernels):
        code = codes[k * per_kernel : (k + 1) * per_kernel]
        best = np.inf
        for g in np.geomspace(0.3, 1.1, 28):
            delta = max(g * np.abs(code).max() / COEFFICIENT_MAX, 1e-30)
            integers = np.clip(np.round(code / delta), -COEFFICIENT_MAX, COEFFICIENT_MAX)
            sums = (integers @ cells).reshape(-1)[: kernel.size]
            rest = kernel - sums * (kernel @ sums) / max(sums @ sums, 1e-30)
            if rest @ rest < best:
                best, noise[k] = rest @ rest, rest
    return snr_db(kernels, noise)


def processor_s(who):
    used = resource.getrusage(who)
    return used.ru_utime + used.ru_stime


def scikit(kernels, cell_bits, nonzeros):
    start, used = time.perf_counter(), processor_s(resource.RUSAGE_SELF)
    samples = kernels.reshape(-1, ROWS).astype(np.float64)
    # Its L1 penalty counts in units of the data, and is meant for data of about unit variance.
    samples /= samples.std()
    learner = MiniBatchDictionaryLearning(
        n_components=COLUMNS, random_state=0
    )
    dictionary = learner.fit(samples).components_
    dictionary /= np.maximum(np.linalg.norm(dictionary, axis=1, keepdims=True), 1e-12)
    gram = dictionary @ dictionary.T
    codes = orthogonal_mp_gram(gram, dictionary @ samples.T, n_nonzero_coefs=nonzeros).T
    seconds = time.perf_counter() - start
    used = processor_s(resource.RUSAGE_SELF) - used
    real = snr_db(samples, samples - codes @ dictionary)
    return {"snr_db": quantized(samples.reshape(len(kernels), -1), dictionary, codes, cell_bits), "real_db": real, "total_s": seconds, "cpu_s": used}


def main():
    tool = sys.argv[1]
    print(f"{KERNELS} kernels of {CHANNELS} x 3 x 3, cut to {ROWS} rows; {COLUMNS} columns, {PLANES} planes; {os.cpu_count()} cores")
    print(f"{'cell':>4} {'non-':>5} | {'BasisN':^23} | {'scikit-learn':^33} | {'times faster':^15}")
    print(
        f"{'bits':>4} {'zeros':>5} | {'dB':>7} {'s':>7} {'CPU s':>7} | {'dB':>7} {'unrounded':>9} {'s':>7} {'CPU s':>7} "
        f"| {'s':>7} {'CPU s':>7}"
    )
    ok = True
    kernels = weights(1)
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "weights.npy")
        np.save(path, kernels)
        for cell_bits, nonzeros in [(2, 8), (4, 8), (4, 16)]:
            command = [tool, path, str(ROWS), str(COLUMNS), str(cell_bits), str(PLANES), str(nonzeros), "learned"]
            before = processor_s(resource.RUSAGE_CHILDREN)
            ours = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
            ours["cpu_s"] = processor_s(resource.RUSAGE_CHILDREN) - before
            theirs = scikit(kernels, cell_bits, nonzeros)
            ratio, cpu_ratio = (theirs[key] / ours[key] for key in ("total_s", "cpu_s"))
            print(
                f"{cell_bits:>4} {nonzeros:>5} | {ours['snr_db']:>7.2f} {ours['total_s']:>7.2f} {ours['cpu_s']:>7.2f} "
                f"| {theirs['snr_db']:>7.2f} {theirs['real_db']:>9.2f} {theirs['total_s']:>7.2f} {theirs['cpu_s']:>7.2f} "
                f"| {ratio:>7.1f} {cpu_ratio:>7.1f}",
                flush=True,
            )
            ok = ok and ours["snr_db"] >= theirs["snr_db"] and ratio >= 20
    print("no worse and 20 times as fast in all rows" if ok else "NOT reached in all rows")
    sys.exit(0 if ok else 1)


main()
