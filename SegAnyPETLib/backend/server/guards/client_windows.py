"""Which client uses which windows, so that none fills the memory for all."""

from __future__ import annotations

from collections import OrderedDict

#: Clients that are remembered; beyond them, the one that was there longest ago lets its windows go.
MAX_CLIENTS = 1024


class ClientWindows:
    """Who uses a window; it may be forgotten when its last user has let it go.

    Args:
        per_client: windows that one client may use at a time; its oldest go first.
        most_clients: clients that are remembered.
    """

    def __init__(self, per_client: int, most_clients: int = MAX_CLIENTS) -> None:
        self.per_client, self.most_clients = per_client, most_clients
        self._of_client: OrderedDict[str, OrderedDict[str, None]] = OrderedDict()
        self._users: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._users)

    def use(self, client: str, key: str) -> list[str]:
        """Note that a client uses a window; returns the windows that nobody uses any more."""
        windows = self._of_client.setdefault(client, OrderedDict())
        self._of_client.move_to_end(client)
        if key not in windows:
            windows[key] = None
            self._users[key] = self._users.get(key, 0) + 1
        windows.move_to_end(key)
        let_go = [windows.popitem(last=False)[0] for _ in range(len(windows) - self.per_client)]
        if len(self._of_client) > self.most_clients:
            let_go += self._of_client.popitem(last=False)[1]
        return [k for k in let_go if self._is_last_use(k)]

    def _is_last_use(self, key: str) -> bool:
        self._users[key] -= 1
        if self._users[key]:
            return False
        del self._users[key]
        return True
