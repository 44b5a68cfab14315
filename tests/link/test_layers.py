from concurrent.futures import ThreadPoolExecutor
from threading import Event, get_ident

import numba
import pytest
import torch

from personae.graph.threads import in_threads
from personae.link.layers import Product, products_in_one_thread


@pytest.mark.parametrize("rows", [0, 1, 127, 128, 300])
def test_a_product_is_that_of_the_linear_layer(rows):
    torch.manual_seed(rows)
    x, weight, bias = torch.randn(rows, 20), torch.randn(20, 7), torch.randn(7)
    with torch.inference_mode():
        torch.testing.assert_close(Product(weight, bias)(x), x @ weight + bias, atol=1e-5, rtol=1e-5)


def test_a_product_without_onednn_is_the_same(monkeypatch):
    x, weight, bias = torch.randn(5, 20), torch.randn(20, 7), torch.randn(7)
    monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: False)
    torch.testing.assert_close(Product(weight, bias)(x), x @ weight + bias, atol=1e-5, rtol=1e-5)


def test_products_have_one_thread_and_then_as_many_as_before():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        with products_in_one_thread():
            assert set(in_threads(lambda _: torch.get_num_threads(), range(4))) == {1}
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


def test_two_at_once_leave_as_many_threads_as_there_were():
    before, first_is_in, second_is_in, first_is_out = torch.get_num_threads(), Event(), Event(), Event()

    def first():
        with products_in_one_thread():
            first_is_in.set()
            assert second_is_in.wait(9)
        first_is_out.set()
        return torch.get_num_threads()

    def second():
        assert first_is_in.wait(9)
        with products_in_one_thread():
            second_is_in.set()
            assert first_is_out.wait(9)
            alone = torch.get_num_threads()
        return alone, torch.get_num_threads()

    torch.set_num_threads(2)
    try:
        with ThreadPoolExecutor(2) as threads:
            one, other = threads.submit(first), threads.submit(second)
            found = one.result(), other.result()
        assert found == (2, (1, 2))
        with ThreadPoolExecutor(1) as later:
            assert later.submit(torch.get_num_threads).result() == 2
    finally:
        torch.set_num_threads(before)


def test_what_is_dealt_out_inside_of_a_thread_is_done_by_that_thread():
    def inner(_):
        return {get_ident(), *in_threads(lambda _: get_ident(), range(3))}

    assert all(len(threads) == 1 for threads in in_threads(inner, range(2 * numba.get_num_threads())))
    assert get_ident() not in in_threads(lambda _: get_ident(), range(3))
