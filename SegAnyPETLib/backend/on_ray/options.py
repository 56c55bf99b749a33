"""What a deployment on Ray Serve is made of."""

# Without postponed annotations: Ray looks at the class of a builder's argument.

import os
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, PositiveFloat, PositiveInt, field_validator, model_validator


class RayOptions(BaseModel):
    """The options; as those of ``seganypet serve`` where they have the same names.

    Attributes:
        models: names or files; in text, separated by commas.
        device: "cpu", "cuda" or "mps". With "cuda", each replica takes a GPU of its own.
        precision: "fp32", "bf16" or "fp16"; None for the models' own choice on the device.
        threads: CPU threads of each replica; None for the cores of this machine, divided among the most replicas.
        cache_mb: memory for embeddings, of each replica.
        queue: requests that wait in each replica.
        replicas: how many there are at least.
        max_replicas: how many there may be; as many as `replicas` where None.
        target_requests: requests, running and waiting, that one replica should have; more of them ask for more
            replicas.
        token_file: holds the token; where None, the environment variable SEGANYPET_TOKEN does.
        log_file: where each replica writes its log, with the replica's number in the name; None for Ray's own.
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
        if self.most_replicas < self.replicas:
            raise ValueError("max_replicas must not be less than replicas")
        return self

    @property
    def most_replicas(self) -> int:
        """How many replicas there may be."""
        return self.max_replicas or self.replicas

    @property
    def threads_each(self) -> int:
        """CPU threads of each replica."""
        return self.threads or max(1, (os.cpu_count() or 1) // self.most_replicas)
