"""Which client uses which windows, so that no client fills the cache for all."""

from __future__ import annotations

from collections import OrderedDict

#: Maximum number of clients that are tracked.
MAX_CLIENTS = 1024


class ClientWindows:
    """Users of each window; its embedding may be dropped when the last one no longer uses it.

    Args:
        per_client: maximum number of windows of one client; the least recently used are released first.
        max_clients: maximum number of clients; the least recently seen one is removed first.
    """

    def __init__(self, per_client: int, max_clients: int = MAX_CLIENTS) -> None:
        self.per_client, self.max_clients = per_client, max_clients
        self._of_client: OrderedDict[str, OrderedDict[str, None]] = OrderedDict()
        self._users: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._users)

    def use(self, client: str, key: str) -> list[str]:
        """Record that a client uses a window, and return the windows that no client uses any more."""
        windows = self._of_client.setdefault(client, OrderedDict())
        self._of_client.move_to_end(client)
        if key not in windows:
            windows[key] = None
            self._users[key] = self._users.get(key, 0) + 1
        windows.move_to_end(key)
        released = [windows.popitem(last=False)[0] for _ in range(len(windows) - self.per_client)]
        if len(self._of_client) > self.max_clients:
            released += self._of_client.popitem(last=False)[1]
        return [k for k in released if self._is_last_use(k)]

    def _is_last_use(self, key: str) -> bool:
        self._users[key] -= 1
        if self._users[key]:
            return False
        del self._users[key]
        return True
