#!/usr/bin/env python3
"""Make images.npy, labels.npy, train.npy and test.npy from the digits that scikit-learn bundles.

    pip install scikit-learn==1.9.1
    python make.py

The four files are committed; run this only to check how they came to be.
"""

from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

HELD_OUT = 599
SPLIT_SEED = 0

digits = load_digits()
images = digits.images.astype(np.uint8).reshape(-1, 1, 8, 8)
labels = digits.target.astype(np.uint8)
assert images.shape == (1797, 1, 8, 8) and images.max() == 16 and (images == digits.images[:, None]).all()

train, test = train_test_split(
    np.arange(len(labels), dtype=np.uint32), test_size=HELD_OUT, stratify=labels, random_state=SPLIT_SEED
)

here = Path(__file__).parent
np.save(here / "images.npy", images)
np.save(here / "labels.npy", labels)
np.save(here / "train.npy", np.sort(train))
np.save(here / "test.npy", np.sort(test))
