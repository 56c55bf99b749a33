"""How many small changes of `session/`, `volume/` and `pet/` no test notices.

``make mutation`` runs mutmut on a random sample, since all mutants take hours; ``make mutation MUTANTS=0`` takes them
all. Mutants are kept in `mutants/`: ``mutmut show NAME`` prints the change that one of them is. mutmut changes what
functions do, not the constants of modules: these are pinned by tests of their own.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
from collections import Counter
from pathlib import Path

MUTANTS = Path("mutants")
#: As mutmut keeps them: exit codes of pytest, and its own codes for mutants that no test runs.
KILLED = (1, 3)
SURVIVED = 0
UNTESTED = (5, 33)
#: A mutant that ends in one room's smallest file; running it makes all others too.
FIRST = "SegAnyPETLib.pet.nearby*"


def mutmut(*names: str, processes: int) -> None:
    command = [sys.executable, "-m", "mutmut", "run", "--max-children", str(processes), *names]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def exit_codes() -> dict[str, int | None]:
    """Of every mutant by its name, None for one that has not run."""
    found: dict[str, int | None] = {}
    for path in sorted(MUTANTS.rglob("*.meta")):
        found |= json.loads(path.read_text())["exit_code_by_key"]
    return found


def room(name: str) -> str:
    return name.split(".")[1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--sample", type=int, default=200, help="mutants that run, 0 for all")
    parser.add_argument("--seed", type=int, default=0, help="of the sample")
    parser.add_argument("--processes", type=int, default=2)
    arguments = parser.parse_args()

    mutmut(FIRST, processes=arguments.processes)
    names = sorted(exit_codes())
    if arguments.sample:
        names = random.Random(arguments.seed).sample(names, min(arguments.sample, len(names)))
    mutmut(*names, processes=arguments.processes)

    codes = exit_codes()
    survivors = [name for name in names if codes[name] == SURVIVED or codes[name] in UNTESTED]
    for name in sorted(survivors):
        print(f"survived  {name}")
    ran, left = Counter(map(room, names)), Counter(map(room, survivors))
    for name in sorted(ran):
        print(f"{name:8} {left[name]:4} of {ran[name]:4} survived")
    print(f"{'all':8} {len(survivors):4} of {len(names):4} survived ({len(survivors) / len(names):.0%})")


if __name__ == "__main__":
    main()
