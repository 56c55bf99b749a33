"""What somebody decided about proposals. A review is never changed: each decision makes a new one."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from enum import StrEnum

from SegAnyPETLib.errors import InputError
from SegAnyPETLib.pet.proposals.hotspots import Proposal


class State(StrEnum):
    """What was decided about a proposal."""

    OPEN = "open"
    ACCEPTED = "accepted"
    REJECTED = "rejected"


@dataclass(frozen=True, eq=False)
class Review:
    """Proposals and what was decided about each; their numbers begin at 1.

    Attributes:
        proposals: in the order of their numbers.
        states: one for each.
    """

    proposals: tuple[Proposal, ...]
    states: tuple[State, ...]

    @classmethod
    def of(cls, proposals: Iterable[Proposal]) -> Review:
        """Return a review in which nothing is decided."""
        kept = tuple(proposals)
        return cls(kept, (State.OPEN,) * len(kept))

    def decide(self, numbers: Iterable[int], state: State) -> Review:
        """Return the review after a decision about some proposals, whatever was decided about them before.

        Raises:
            InputError: there is no proposal of such a number.
        """
        chosen = set(numbers)
        unknown = sorted(number for number in chosen if not 1 <= number <= len(self.proposals))
        if unknown:
            raise InputError(f"there is no proposal {unknown[0]}; their numbers are 1 to {len(self.proposals)}")
        states = (state if n in chosen else old for n, old in enumerate(self.states, start=1))
        return replace(self, states=tuple(states))

    def decide_open(self, which: Callable[[Proposal], bool], state: State) -> Review:
        """Return the review after a decision about the open proposals of which something holds."""
        return self.decide([n for n in self.numbers(State.OPEN) if which(self.proposals[n - 1])], state)

    def numbers(self, state: State) -> tuple[int, ...]:
        """Return the numbers of the proposals in a state."""
        return tuple(n for n, each in enumerate(self.states, start=1) if each is state)

    def by_doubt(self) -> tuple[int, ...]:
        """Return the numbers of the open proposals, the most doubtful one first."""
        return tuple(sorted(self.numbers(State.OPEN), key=lambda n: -self.proposals[n - 1].doubt))
