"""The server as a Ray Serve deployment: replicas on the GPUs of one or many machines, behind Ray's own HTTP proxy.

``seganypet serve --ray`` starts everything. On a cluster that has its own configuration,
``serve run SegAnyPETLib.backend.on_ray.serve:build models=lite device=cuda replicas=2 token_file=token`` or a file of
Ray's with the same arguments does.

Every replica is one process with its own models, cache of embeddings and queue. Requests find the replica that has
their window, see `router`; if a replica dies, its clients send their windows again, and another one takes them.

What differs from ``seganypet serve``:

- ``/v1/health``, ``/v1/models`` and ``/metrics`` describe the replica that happens to answer. For figures of all
  replicas use those that Ray itself exports for Prometheus.
- Ray's proxy answers ``/-/healthz`` and ``/-/routes`` itself, without a token; they reveal that a deployment named
  seganypet exists, no more. Everything else reaches the application and its check of the token.
- The proxy reads a request before a replica refuses it, and sets no time limit for slow clients. If others than trusted
  clients can reach it, put a reverse proxy with limits of size and time in front.
- Metadata and voxels of requests pass through Ray's proxy and workers. Ray's own ports must be closed to others, as for
  any Ray cluster; those of a cluster that ``seganypet serve --ray`` starts are bound to this machine.
"""

# Without postponed annotations: Ray looks at the class of a builder's argument.

import logging
import os
import re
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from SegAnyPETLib.backend.on_ray.cluster import named_cluster, ray_cluster
from SegAnyPETLib.backend.on_ray.options import RayOptions
from SegAnyPETLib.backend.server.guards.bind import Address, listen
from SegAnyPETLib.backend.token import TOKEN_VARIABLE, read_token
from SegAnyPETLib.errors import BackendError, InputError

if TYPE_CHECKING:
    from ray.serve import Application
    from ray.serve.schema import ServeStatus

#: Name of the application and of its only deployment.
NAME = "seganypet"

#: Requests for health and figures that a replica takes in addition to those that run and wait.
QUESTIONS = 16

#: Seconds for which an idle connection is kept, as by the server without Ray.
KEEP_ALIVE_S = 60
#: Settings of Ray Serve's own log, whose access log would name the clients.
QUIET: dict[str, Any] = {"enable_access_log": False, "log_level": "WARNING"}
#: Seconds that a replica which is stopped may take to finish its running requests.
STOP_S = 25.0


def build(options: RayOptions) -> "Application":
    """Build the application for ``serve run`` and Ray's configuration files.

    Raises:
        InputError: no token is set. Ray decides where it listens, so one is always required.
    """
    token = read_token(options.token_file, os.environ)
    if token is None:
        raise InputError(f"a deployment on Ray needs a token: give token_file=FILE or set {TOKEN_VARIABLE}")
    return application(options, token)


def application(options: RayOptions, token: str | None) -> "Application":
    """Return the application; without a token it must listen on this machine only."""
    from ray import serve
    from ray.serve.config import AutoscalingConfig, RequestRouterConfig
    from ray.serve.schema import LoggingConfig

    from SegAnyPETLib.backend.on_ray.replica import Replica

    deployment = serve.deployment(
        name=NAME,
        autoscaling_config=AutoscalingConfig(
            min_replicas=options.replicas,
            max_replicas=options.replica_limit,
            target_ongoing_requests=options.target_requests,
        ),
        ray_actor_options={"num_cpus": options.threads_each, "num_gpus": int(options.device == "cuda")},
        # Replicas themselves answer that they are busy. Beyond that, as many requests again wait in the proxy.
        max_ongoing_requests=options.queue + 1 + QUESTIONS,
        max_queued_requests=options.queue,
        graceful_shutdown_timeout_s=STOP_S,
        logging_config=LoggingConfig(**QUIET),
        request_router_config=RequestRouterConfig(
            request_router_class="SegAnyPETLib.backend.on_ray.router.WindowRouter"  # type: ignore[arg-type] # Ray's slip
        ),
    )
    return deployment(serve.ingress()(Replica)).bind(options, token)


def run(options: RayOptions, token: str | None, address: Address, ready: Callable[[int], None]) -> None:
    """Serve until SIGINT or SIGTERM, on the cluster that RAY_ADDRESS names or one of this machine's own.

    Args:
        options: of the deployment.
        token: secret that clients must send.
        address: where Ray's proxy listens.
        ready: called with the port when requests are taken.

    Raises:
        InputError: the host is not this machine's, or others can reach it and no token is set; a model or device is
            missing.
        BackendError: the port is taken, the cluster cannot be reached, or the replicas do not start.
    """
    with listen(address, token) as bound:  # the same checks as without Ray
        port: int = bound.getsockname()[1]
    own = named_cluster() is None
    if own:
        _check_models(options)
    with ray_cluster(options.threads_each * options.replica_limit, log_to_driver=True) as ray, _stop_signals() as stop:
        from ray import serve

        gpus = int(ray.cluster_resources().get("GPU", 0))
        if options.device == "cuda" and gpus < options.replicas:
            raise InputError(
                f"the cluster has {gpus} GPUs for {options.replicas} replicas; ask for fewer, or --device cpu"
            )
        logging.getLogger("ray.serve").setLevel(logging.WARNING)
        serve.start("HeadOnly", _http_options(address, port), logging_config=QUIET)
        try:
            serve.run(application(options, token), name=NAME, route_prefix="/")
            ready(port)
            stop.wait()
        except RuntimeError as error:
            raise BackendError(f"the replicas do not start: {_reason(serve.status())}") from error
        finally:
            if own:
                serve.shutdown()
            else:
                serve.delete(NAME)


def _check_models(options: RayOptions) -> None:
    """Load the models here once, so that an error is reported at once and in one line."""
    from SegAnyPETLib.models.device import checked_device
    from SegAnyPETLib.models.loading import load_model

    checked_device(options.device)
    for name in options.models:
        load_model(name)


def _reason(status: "ServeStatus") -> str:
    """Return the message of a replica's exception, from the end of the traceback that Ray keeps."""
    kept = [d.message for a in status.applications.values() for d in a.deployments.values()]
    messages = re.findall(r"^SegAnyPETLib\.errors\.\w+: (.*)$", "\n".join(kept), re.MULTILINE)
    return messages[-1] if messages else "their output is above"


def _http_options(address: Address, port: int) -> dict[str, Any]:
    return {
        "host": address.host,
        "port": port,
        "keep_alive_timeout_s": KEEP_ALIVE_S,
        "ssl_certfile": None if address.certificate is None else str(address.certificate),
        "ssl_keyfile": None if address.key is None else str(address.key),
    }


@contextmanager
def _stop_signals() -> Iterator[threading.Event]:
    """Yield an event that SIGINT and SIGTERM set."""
    stop = threading.Event()
    before = {number: signal.signal(number, lambda *_: stop.set()) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
