import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from SegAnyPETLib.models.sam.folded_attention import FoldedAttention
from SegAnyPETLib.models.sam.plain_attention import plain_attention


def attention(window, heads=2, channels=4, seed=0):
    """Random weights, with biases and position tables far larger than trained ones, so that nothing hides."""
    torch.manual_seed(seed)
    module = FoldedAttention(heads * channels, heads, window).double()
    for parameter in module.parameters():
        torch.nn.init.normal_(parameter)
    return module


@pytest.mark.slow
@given(
    window=st.integers(1, 6),
    grid=st.tuples(*[st.integers(1, 7)] * 3),
    batch=st.integers(1, 2),
    seed=st.integers(0, 1000),
)
@settings(max_examples=60, deadline=None)
def test_folding_changes_nothing(window, grid, batch, seed):
    module = attention(window, seed=seed)
    x = torch.randn(batch, *grid, 8, dtype=torch.float64)
    torch.testing.assert_close(module(x), plain_attention(module, x), rtol=1e-10, atol=1e-10)


def test_the_bias_takes_the_queries_of_other_tokens():
    """The textbook's bias, with each token's own query along every axis, is another function."""
    module = attention(3)
    x = torch.randn(1, 3, 3, 3, 8, dtype=torch.float64)
    swapped = x.clone()
    swapped[0, 0, 0, 1], swapped[0, 0, 0, 2] = x[0, 0, 0, 2], x[0, 0, 0, 1]
    # Were the bias each token's own, exchanging tokens 1 and 2 could not change what token (1, 1, 1) sees of them
    # otherwise than by their places; here it changes the bias of token (0, 0, 0) too.
    with torch.no_grad():
        module.rel_pos_d.zero_()
        before, after = module(x)[0, 0, 0, 0], module(swapped)[0, 0, 0, 0]
        module.rel_pos_h.zero_()
        module.rel_pos_w.zero_()
        plain_before, plain_after = module(x)[0, 0, 0, 0], module(swapped)[0, 0, 0, 0]
    torch.testing.assert_close(plain_before, plain_after)
    assert (before - after).abs().max() > 1e-3


def test_padding_takes_part_in_the_softmax():
    module = attention(4)
    x = torch.randn(1, 3, 3, 3, 8, dtype=torch.float64)
    with torch.no_grad():
        module.rel_pos_d.zero_(), module.rel_pos_h.zero_(), module.rel_pos_w.zero_()
        module.qkv.bias.zero_()
        module.qkv.weight[:16].zero_()  # all logits are zero: each key has the weight 1 / 64
        values = torch.nn.functional.linear(x, module.qkv.weight[16:])
        wanted = module.proj(values.sum((1, 2, 3)) / 64)
    torch.testing.assert_close(module(x)[0, 1, 1, 1], wanted[0])


def test_gradients_flow_through_the_fold_as_through_the_plain_form():
    module = attention(3)
    x = torch.randn(1, 4, 3, 2, 8, dtype=torch.float64, requires_grad=True)
    gradients = []
    for function in (lambda: module(x), lambda: plain_attention(module, x)):
        module.zero_grad()
        x.grad = None
        function().square().sum().backward()
        gradients.append([x.grad, *(p.grad for p in module.parameters())])
    for folded, plain in zip(*gradients, strict=True):
        torch.testing.assert_close(folded, plain, rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_huge_biases_overflow_nothing(dtype):
    module = attention(4).float()
    with torch.no_grad():
        module.rel_pos_h.mul_(100)
        module.rel_pos_w.mul_(100)
    out = module.to(dtype)(torch.randn(1, 3, 3, 3, 8))
    assert torch.isfinite(out).all()
