"""The few exception types of the library; every message is one line that says what to do."""


class SegAnyPETError(Exception):
    """Anything this library refuses or fails to do."""


class InputError(SegAnyPETError):
    """The input cannot be used: a file, a prompt, a label, a recipe. The command line exits with 2."""
