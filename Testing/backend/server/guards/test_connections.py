import pytest

from SegAnyPETLib.backend.server.guards.connections import Connections, peer_of


class Opened:
    """A connection that notes whether it was closed."""

    def __init__(self):
        self.idle, self.has_unread, self.aborted = True, False, False

    def abort(self):
        self.aborted = True


def opened(limits, peer, number=1):
    connections = [Opened() for _ in range(number)]
    for connection in connections:
        limits.opened(connection, peer)
    return connections


def test_beyond_the_limit_of_a_peer_its_oldest_stranger_is_closed():
    limits = Connections(max_strangers=10, max_per_peer=2)
    other = opened(limits, "b")
    first, second, third = opened(limits, "a", 3)
    assert [c.aborted for c in (*other, first, second, third)] == [False, True, False, False]
    assert limits.strangers == 3


def test_a_stranger_whose_request_has_arrived_but_was_not_read_is_spared():
    limits = Connections(max_strangers=10, max_per_peer=2)
    first, second = opened(limits, "a", 2)
    first.has_unread = second.has_unread = True
    (third,) = opened(limits, "a")
    assert [c.aborted for c in (first, second, third)] == [False, False, True]


def test_beyond_the_limit_of_all_a_stranger_of_the_peer_with_most_is_closed():
    limits = Connections(max_strangers=3, max_per_peer=3)
    (first,) = opened(limits, "b")
    many = opened(limits, "a", 2)
    opened(limits, "c")
    assert not first.aborted
    assert [c.aborted for c in many] == [True, False]


def test_an_accepted_connection_is_not_closed_however_many_strangers_come():
    limits = Connections(max_strangers=2, max_per_peer=2)
    (known,) = opened(limits, "a")
    limits.accept(known)
    opened(limits, "a", 10)
    assert not known.aborted
    assert (limits.accepted, limits.strangers) == (1, 2)


def test_beyond_the_limit_of_accepted_ones_that_is_closed_which_was_idle_for_longest():
    limits = Connections(max_accepted=2)
    busy, idle, last = opened(limits, "a", 3)
    busy.idle = False
    for connection in (busy, idle, last):
        limits.accept(connection)
    assert [c.aborted for c in (busy, idle, last)] == [False, True, False]
    (another,) = opened(limits, "a")
    last.idle = another.idle = False
    limits.accept(another)
    assert not any(c.aborted for c in (busy, last, another))  # none of them can be spared


def test_what_has_closed_counts_no_longer():
    limits = Connections(max_strangers=1, max_per_peer=1)
    (first,) = opened(limits, "a")
    limits.closed(first)
    (second,) = opened(limits, "a")
    limits.accept(second)
    limits.closed(second)
    assert (limits.strangers, limits.accepted) == (0, 0)
    assert not first.aborted
    assert not second.aborted


@pytest.mark.parametrize(
    ("address", "peer"),
    [
        ("10.0.0.7", "10.0.0.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::1", "::1"),
        ("", ""),
    ],
)
def test_a_network_of_ipv6_counts_as_one_peer(address, peer):
    assert peer_of(address) == peer
