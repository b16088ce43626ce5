"""The nearest vectors by inner product, over FAISS."""

from collections.abc import Iterable, Sequence

import faiss
import numpy as np
from numpy.typing import NDArray

HALVES = faiss.ScalarQuantizer.QT_fp16  # as they are kept


class VectorSearch:
    """Vectors of length one, in pieces of ids [vectors] and vectors [vectors, dimensions].

    All are compared: for a single search that is sooner done than any lists are made.
    """

    def __init__(self, pieces: Iterable[tuple[NDArray[np.int64], NDArray[np.float32]]]) -> None:
        self._index: faiss.Index | None = None
        for ids, vectors in pieces:
            if self._index is None:
                flat = faiss.IndexScalarQuantizer(
                    vectors.shape[1], HALVES, faiss.METRIC_INNER_PRODUCT
                )
                self._index = faiss.IndexIDMap2(flat)
            self._index.add_with_ids(vectors, ids)

    def nearest(self, vector: NDArray[np.float32], limit: int) -> Sequence[int]:
        """Ids, nearest first."""
        if self._index is None:
            return []
        _, ids = self._index.search(vector[None], min(limit, self._index.ntotal))
        return [int(id) for id in ids[0]]
