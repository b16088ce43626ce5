"""The nearest vectors by inner product, over FAISS."""

from collections.abc import Sequence

import faiss
import numpy as np
from numpy.typing import NDArray

FLAT_UP_TO = 100_000  # vectors that are all compared, in some 20 ms
PROBES = 16
SAMPLE_PER_LIST = 40  # of the vectors that the lists are made from


class VectorSearch:
    """Vectors [vectors, dimensions] of length one, found by their ids."""

    def __init__(self, ids: NDArray[np.int64], vectors: NDArray[np.float32]) -> None:
        count, dimensions = vectors.shape
        flat = faiss.IndexFlatIP(max(1, dimensions))
        self._index: faiss.Index = faiss.IndexIDMap2(flat)
        if count > FLAT_UP_TO:
            lists = int(4 * count**0.5)
            inverted = faiss.IndexIVFFlat(flat, dimensions, lists, faiss.METRIC_INNER_PRODUCT)
            inverted.nprobe = PROBES
            chosen = np.random.default_rng(0).permutation(count)[: SAMPLE_PER_LIST * lists]
            inverted.train(vectors[chosen])
            self._index = inverted
        if count:
            self._index.add_with_ids(vectors, ids)

    def nearest(self, vector: NDArray[np.float32], limit: int) -> Sequence[int]:
        """Ids, nearest first."""
        limit = min(limit, self._index.ntotal)
        if limit == 0:
            return []
        _, ids = self._index.search(vector[None], limit)
        return [int(id) for id in ids[0] if id >= 0]
