"""Options of a deployment on Ray Serve."""

# Without postponed annotations: Ray looks at the class of a builder's argument.

import os
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, PositiveFloat, PositiveInt, field_validator, model_validator


class RayOptions(BaseModel):
    """Options; those with the names of options of ``seganypet serve`` mean the same.

    Attributes:
        models: names or files; a text lists them separated by commas.
        device: "cpu", "cuda" or "mps"; with "cuda", each replica takes a GPU of its own.
        precision: "fp32", "bf16" or "fp16"; None for the models' own choice on the device.
        threads: CPU threads of each replica; None to divide the cores of this machine among them.
        cache_mb: memory for embeddings, of each replica.
        queue: requests that may wait in each replica.
        replicas: minimum number of replicas.
        max_replicas: maximum number of replicas; None for `replicas`.
        target_requests: requests, running and waiting, per replica above which another one is started.
        token_file: file with the token; None for the environment variable SEGANYPET_TOKEN.
        log_file: each replica writes to this name with its number added; None for Ray's own log.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    models: tuple[str, ...] = ("lite",)
    device: Literal["cpu", "cuda", "mps"] = "cpu"
    precision: Literal["fp32", "bf16", "fp16"] | None = None
    threads: PositiveInt | None = None
    cache_mb: PositiveInt = 512
    queue: PositiveInt = 64
    replicas: PositiveInt = 1
    max_replicas: PositiveInt | None = None
    target_requests: PositiveFloat = 2.0
    token_file: Path | None = None
    log_file: Path | None = None

    @field_validator("models", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return tuple(value.split(",")) if isinstance(value, str) else value

    @model_validator(mode="after")
    def _check(self) -> "RayOptions":
        if not self.models or len(set(self.models)) < len(self.models):
            raise ValueError("models must name at least one, and each only once")
        if self.replica_limit < self.replicas:
            raise ValueError("max_replicas must not be less than replicas")
        return self

    @property
    def replica_limit(self) -> int:
        """Maximum number of replicas."""
        return self.max_replicas or self.replicas

    @property
    def threads_each(self) -> int:
        """CPU threads of each replica."""
        return self.threads or max(1, (os.cpu_count() or 1) // self.replica_limit)
