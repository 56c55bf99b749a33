import torch

from SegAnyPETLib.models.embedding_cache import EmbeddingCache

FOUR_BYTES = torch.zeros(1)


def test_the_embedding_that_was_used_longest_ago_is_forgotten_first():
    cache = EmbeddingCache(budget_bytes=8)
    cache.put("a", FOUR_BYTES)
    cache.put("b", FOUR_BYTES)
    assert cache.get("a") is FOUR_BYTES
    cache.put("c", FOUR_BYTES)
    assert ["a" in cache, "b" in cache, "c" in cache] == [True, False, True]
    assert cache.get("b") is None
    assert cache.used_bytes == 8


def test_an_embedding_larger_than_the_budget_is_kept_alone():
    cache = EmbeddingCache(budget_bytes=8)
    cache.put("a", FOUR_BYTES)
    cache.put("large", torch.zeros(100))
    assert ("a" in cache, "large" in cache) == (False, True)


def test_the_same_window_is_kept_once():
    cache = EmbeddingCache(budget_bytes=8)
    cache.put("a", FOUR_BYTES)
    cache.put("a", FOUR_BYTES)
    assert (len(cache), cache.used_bytes) == (1, 4)
    cache.clear()
    assert len(cache) == 0
