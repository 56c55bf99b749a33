import weakref

import pytest
import torch

from SegAnyPETLib.models.memory import attempt, give_back


def raising(error):
    def work():
        raise error

    return work


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"),
        RuntimeError("MPS backend out of memory (MPS allocated: 9 GB)"),
        RuntimeError("[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: can't allocate memory"),
        RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate 4 bytes"),
        RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling cublasCreate(handle)"),
        MemoryError(),
    ],
    ids=["cuda", "mps", "cpu", "cpu on windows", "cublas", "python"],
)
def test_memory_that_does_not_suffice_is_no_result(error):
    assert attempt(raising(error)) is None


def test_torch_itself_says_it_in_a_way_that_is_understood():
    assert attempt(lambda: torch.empty(1 << 60)) is None


def test_a_result_is_handed_on():
    assert attempt(lambda: [1]) == [1]


@pytest.mark.parametrize("error", [RuntimeError("shapes do not match"), ValueError("out of memory"), KeyError("x")])
def test_other_errors_are_not_taken_for_it(error):
    with pytest.raises(type(error)):
        attempt(raising(error))


def test_tensors_of_the_work_that_failed_are_free_for_the_next_attempt():
    held = []

    def work():
        tensor = torch.zeros(3)
        held.append(weakref.ref(tensor))
        raise torch.OutOfMemoryError("CUDA out of memory")

    assert attempt(work) is None
    assert held[0]() is None


@pytest.mark.parametrize(("device", "emptied"), [("cpu", []), ("cuda", ["cuda"]), ("mps", ["mps"])])
def test_a_device_gets_back_what_torch_holds_in_reserve(device, emptied, monkeypatch):
    called = []
    monkeypatch.setattr(torch.cuda, "empty_cache", lambda: called.append("cuda"))
    monkeypatch.setattr(torch.mps, "empty_cache", lambda: called.append("mps"))
    give_back(torch.device(device))
    assert called == emptied
