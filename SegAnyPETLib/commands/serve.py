"""``seganypet serve``: the inference server."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace

from SegAnyPETLib.backend.messages.limits import Limits
from SegAnyPETLib.backend.server.guards.bind import Address, listen
from SegAnyPETLib.backend.server.logs import EventLog
from SegAnyPETLib.backend.token import TOKEN_VARIABLE, read_token, readable_by_others
from SegAnyPETLib.commands.arguments.serve import ServeOptions
from SegAnyPETLib.errors import InputError


def run(options: ServeOptions) -> None:
    """Serve until SIGINT or SIGTERM.

    Raises:
        InputError: a model, device, token, certificate or address cannot be used.
        BackendError: the port is taken, or the model does not run on the device.
    """
    names = options.models
    if len(set(names)) < len(names):
        raise InputError("a model is named twice; give each --model once")
    token = read_token(options.token_file, os.environ)
    address = Address(options.host, options.port, options.tls_cert, options.tls_key)
    guarded = "with a token" if token is not None else f"without a token ({TOKEN_VARIABLE} is not set)"
    if options.ray:
        _run_on_ray(options, names, token, address, guarded)
        return
    if options.replicas != 1 or options.max_replicas is not None:
        raise InputError("one server is one replica; give --ray for more of them")
    log = EventLog(options.log_file)
    if options.token_file is not None and readable_by_others(options.token_file):
        message = "other users of this machine can read the token file; run: chmod 600 on it"
        log.write("warning", "token_not_secret", message=message)
    with listen(address, token) as bound:  # before models are loaded, so that a taken port is told at once
        from SegAnyPETLib.backend.server.run import Server
        from SegAnyPETLib.backend.server.service import Service
        from SegAnyPETLib.models.embedding_cache import EmbeddingCache
        from SegAnyPETLib.models.engine import Engine

        cache = EmbeddingCache(options.cache_mb * 1024**2)
        engines = [Engine.load(n, options.device, options.threads, options.precision, cache) for n in names]
        service = Service(engines, replace(Limits(), queue=options.queue), log)

        def tell() -> None:
            running = ", ".join(f"{e.spec.name} ({e.device.type}, {e.precision})" for e in engines)
            print(f"serving {running} at {address.url(server.port)} {guarded}", flush=True)

        server = Server(service, token, address, ready=tell, bound=bound)
        server.run_until_stopped()
    log.close()


def _run_on_ray(options: ServeOptions, names: Sequence[str], token: str | None, address: Address, guarded: str) -> None:
    from SegAnyPETLib.backend.on_ray.options import RayOptions
    from SegAnyPETLib.backend.on_ray.serve import run

    most = options.max_replicas or options.replicas
    if most < options.replicas:
        raise InputError("--max-replicas must not be less than --replicas")
    ray_options = RayOptions(
        models=tuple(names),
        device=options.device,
        precision=options.precision,
        threads=options.threads,
        cache_mb=options.cache_mb,
        queue=options.queue,
        replicas=options.replicas,
        max_replicas=most,
        log_file=options.log_file,
    )

    def tell(port: int) -> None:
        replicas = "1 replica" if most == 1 else f"{most} replicas"
        replicas = replicas if most == options.replicas else f"{options.replicas} to {replicas}"
        where = f"{address.url(port)} {guarded}"
        print(f"serving {', '.join(names)} ({options.device}, {replicas}) at {where}", flush=True)

    run(ray_options, token, address, tell)
