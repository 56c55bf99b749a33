"""Connections without a token that are held against a server, and replaced when it closes them."""

from __future__ import annotations

import selectors
import socket
import threading
from contextlib import suppress

#: Number of connections that are opened at a time, and the pause between replacing those that the server closed.
AT_ONCE = 50
PAUSE_S = 0.5


class Flood:
    """Open connections in a thread, until the end of the block.

    Args:
        port: of the server.
        sent: what each sends once.
        held: how many to keep open.
    """

    def __init__(self, port: int, sent: bytes, held: int) -> None:
        self.opened = 0
        self._port, self._sent, self._held = port, sent, held
        self._full, self._stop = threading.Event(), threading.Event()
        self._selector = selectors.DefaultSelector()
        self._thread = threading.Thread(target=self._work)

    def __enter__(self) -> Flood:
        self._thread.start()
        assert self._full.wait(60)
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _work(self) -> None:
        while not self._stop.is_set():
            for _ in range(min(AT_ONCE, self._held - len(self._selector.get_map()))):
                self._open()
            for key, _ in self._selector.select(0):
                self._read(key.fileobj)
            if self.opened >= self._held:
                self._full.set()
                self._stop.wait(PAUSE_S)
        for key in list(self._selector.get_map().values()):
            self._close(key.fileobj)
        self._selector.close()

    def _open(self) -> None:
        with suppress(OSError):
            connection = socket.create_connection(("127.0.0.1", self._port), 1.0)
            connection.sendall(self._sent)
            self._selector.register(connection, selectors.EVENT_READ)
            self.opened += 1

    def _read(self, connection: object) -> None:
        assert isinstance(connection, socket.socket)
        try:
            ended = not connection.recv(1 << 16)
        except OSError:
            ended = True
        if ended:
            self._close(connection)

    def _close(self, connection: object) -> None:
        assert isinstance(connection, socket.socket)
        self._selector.unregister(connection)
        connection.close()
