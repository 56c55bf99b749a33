"""Embeddings of the windows that were used last.

Not locked: a cache belongs to the thread of its engines. Other threads may ask only whether a key is in it.
"""

from __future__ import annotations

from collections import OrderedDict

from torch import Tensor


class EmbeddingCache:
    """Keep embeddings, and drop the least recently used ones if the next one would not fit.

    Args:
        budget_bytes: memory of all embeddings together; the newest one is kept even if it is larger than that.
    """

    def __init__(self, budget_bytes: int) -> None:
        self.budget_bytes = budget_bytes
        self._embeddings: OrderedDict[str, Tensor] = OrderedDict()

    def __contains__(self, key: str) -> bool:
        return key in self._embeddings

    def __len__(self) -> int:
        return len(self._embeddings)

    @property
    def used_bytes(self) -> int:
        """Memory of all embeddings."""
        return sum(e.nbytes for e in self._embeddings.values())

    def get(self, key: str) -> Tensor | None:
        """Return an embedding and make it the most recently used one; None if it is not kept."""
        embedding = self._embeddings.get(key)
        if embedding is not None:
            self._embeddings.move_to_end(key)
        return embedding

    def put(self, key: str, embedding: Tensor) -> None:
        """Keep an embedding."""
        self._embeddings.pop(key, None)
        self._embeddings[key] = embedding
        while len(self._embeddings) > 1 and self.used_bytes > self.budget_bytes:
            self._embeddings.popitem(last=False)

    def drop(self, key: str) -> None:
        """Drop one, if it is kept."""
        self._embeddings.pop(key, None)

    def keep_only(self, key: str) -> None:
        """Drop all others."""
        for other in [k for k in self._embeddings if k != key]:
            del self._embeddings[other]

    def clear(self) -> None:
        """Drop all of them."""
        self._embeddings.clear()
