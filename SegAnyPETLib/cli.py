"""The ``seganypet`` command: how every end of it looks to the shell.

The options of each command are in ``commands/arguments/NAME.py``, what it does in ``commands/NAME.py``, which is loaded
when the command is called; so help costs nothing.
"""

from __future__ import annotations

import errno
import io
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import TextIO

from SegAnyPETLib.commands.arguments.parser import parse
from SegAnyPETLib.errors import InputError, SegAnyPETError

EXIT_FAILURE = 1
EXIT_BAD_INPUT = 2
EXIT_INTERRUPTED = 130

#: The extra of pyproject.toml that brings a package.
EXTRA_OF = {
    "torch": "models",
    "monai": "models",
    "safetensors": "models",
    "huggingface_hub": "models",
    "matplotlib": "figures",
    "highdicom": "dicom",
    "dicomweb_client": "dicomweb",
    "requests": "dicomweb",
    "jinja2": "evaluation",
    "pydantic": "evaluation",
    "yaml": "training",
    "statsmodels": "study",
    "pingouin": "study",
    "pandas": "study",
    "httpx": "client",
    "fastapi": "server",
    "starlette": "server",
    "uvicorn": "server",
    "prometheus_client": "server",
    "ray": "ray",
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line.

    Args:
        argv: arguments without the program's name; those of the process where None.

    Returns:
        0 done, 1 failure, 2 bad input, 130 interrupted.
    """
    # Without a terminal (``pythonw``, ``2>&-``) there are no streams; progress bars need them.
    sys.stdout, sys.stderr = sys.stdout or _nowhere(), sys.stderr or _nowhere()
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a file's name may hold what the terminal cannot show
    code, told = EXIT_FAILURE, True
    try:
        code = _run(argv)
    finally:
        told = _flush()
    return code if told else code or EXIT_FAILURE


def _run(argv: Sequence[str] | None) -> int:
    try:
        command, options = parse(sys.argv[1:] if argv is None else argv)
        import_module(f"SegAnyPETLib.commands.{command.replace('-', '_')}").run(options)
    except InputError as error:
        return _fail(str(error), EXIT_BAD_INPUT)
    except BrokenPipeError:
        return EXIT_FAILURE  # `_flush` tells why nothing is said
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            return _fail("a path is longer than the system takes; choose shorter names", EXIT_BAD_INPUT)
        return _fail(str(error), EXIT_FAILURE)
    except SegAnyPETError as error:
        return _fail(str(error), EXIT_FAILURE)
    except MemoryError:
        return _fail("the memory does not suffice for this image; close other programs or crop it", EXIT_FAILURE)
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package not in EXTRA_OF:
            raise
        install = f"pip install '.[{EXTRA_OF[package]}]'"
        return _fail(
            f"this command needs {package}, which is not installed; in the project's folder run: {install}",
            EXIT_FAILURE,
        )
    except KeyboardInterrupt:
        return _fail("interrupted", EXIT_INTERRUPTED)
    return 0


def _nowhere() -> TextIO:
    return open(os.devnull, "w", encoding="utf-8")


def _flush() -> bool:
    """Hand on what is printed; False where nobody takes it, as after ``| head``, which is no reason for a message."""
    try:
        sys.stdout.flush()
    except OSError:
        # Python flushes again at its end, and would complain then.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return False
    return True


def _fail(message: str, code: int) -> int:
    print(f"seganypet: error: {' '.join(message.split())}", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
