"""The few exception types of the library; every message is one line that says what to do."""


class SegAnyPETError(Exception):
    """Anything this library refuses or fails to do."""


class InputError(SegAnyPETError):
    """The input cannot be used: a file, a prompt, a label, a recipe. The command line exits with 2."""


class DeviceMissing(InputError):
    """The machine has no such device; the CPU is always there."""


class BackendError(SegAnyPETError):
    """What runs the model failed or cannot be reached. The session is as it was; the prompt may be repeated."""


class OutOfMemory(BackendError):
    """The device's memory does not suffice; another device may do."""


class Cancelled(SegAnyPETError):
    """The user cancelled; nothing was changed."""

    def __init__(self, message: str = "cancelled; nothing was changed") -> None:
        super().__init__(message)
