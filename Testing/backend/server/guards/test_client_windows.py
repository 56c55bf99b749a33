from hypothesis import given
from hypothesis import strategies as st

from SegAnyPETLib.backend.server.guards.client_windows import ClientWindows


def test_the_windows_that_a_client_used_longest_ago_go_first():
    windows = ClientWindows(per_client=2)
    assert windows.use("a", "1") == []
    assert windows.use("a", "2") == []
    assert windows.use("a", "1") == []
    assert windows.use("a", "3") == ["2"]


def test_a_window_goes_when_its_last_user_lets_it_go():
    windows = ClientWindows(per_client=1)
    windows.use("a", "1")
    windows.use("b", "1")
    assert windows.use("a", "2") == []
    assert windows.use("b", "3") == ["1"]


def test_of_too_many_clients_the_one_that_was_there_longest_ago_is_forgotten():
    windows = ClientWindows(per_client=2, max_clients=2)
    windows.use("a", "1")
    windows.use("b", "2")
    windows.use("a", "3")
    assert windows.use("c", "4") == ["2"]
    assert windows.use("b", "5") == ["1", "3"]


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 8))))
def test_what_is_remembered_is_bounded_and_no_window_goes_while_it_is_used(uses):
    windows = ClientWindows(per_client=3, max_clients=2)
    kept, last = set(), {}
    for client, key in uses:
        gone = windows.use(str(client), str(key))
        kept = (kept | {str(key)}) - set(gone)
        last = {c: k for c, k in last.items() if c != client} | {client: str(key)}
        assert len(windows) == len(kept) <= 6
        assert set(list(last.values())[-2:]) <= kept
