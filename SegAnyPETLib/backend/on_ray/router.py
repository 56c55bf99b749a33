"""Route requests to the replica that has the embedding of their window."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from typing import Any

from ray.serve.request_router import MultiplexMixin, PendingRequest, ReplicaID, RequestRouter, RunningReplica

#: Maximum number of windows whose replica is recorded.
MAX_RECORDED = 4096


class WindowRouter(MultiplexMixin, RequestRouter):
    """Send every request for a window to the replica that has its embedding.

    Replicas report their windows through Ray's model multiplexing. A report arrives some tenths of a second after the
    first click; until then the router uses its own record of where it sent that click. A window that is not known yet
    goes to the replica with the fewest requests, and among equals to the one that rendezvous
    hashing gives it (Thaler and Ravishankar 1998, doi 10.1109/90.663936), so that several routers choose alike. Where
    a replica takes no more requests, another one does; the client then sends the voxels again.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._chosen: OrderedDict[str, ReplicaID] = OrderedDict()

    async def choose_replicas(
        self, candidate_replicas: list[RunningReplica], pending_request: PendingRequest | None = None
    ) -> list[list[RunningReplica]]:
        """Return replicas in groups, the best first; of a group, Ray takes the one with the fewest requests."""
        if pending_request is None:
            return [candidate_replicas]
        pending_request.routing_context.should_backoff = True
        window = pending_request.metadata.multiplexed_model_id
        if not window:
            return [candidate_replicas]
        remembered = [r for r in candidate_replicas if r.replica_id == self._chosen.get(window)]
        holding = [r for r in candidate_replicas if window in r.multiplexed_model_ids]
        return [remembered, holding, sorted(candidate_replicas, key=lambda r: _affinity(window, r))]

    def on_request_routed(self, pending_request: PendingRequest, replica_id: ReplicaID, result: object) -> None:
        """Record which replica got a window."""
        window = pending_request.metadata.multiplexed_model_id
        if window:
            self._chosen[window] = replica_id
            self._chosen.move_to_end(window)
            if len(self._chosen) > MAX_RECORDED:
                self._chosen.popitem(last=False)


def _affinity(window: str, replica: RunningReplica) -> bytes:
    return hashlib.sha256(f"{window}/{replica.replica_id.unique_id}".encode()).digest()
