"""Small plans for the tests."""

from SegAnyPETLib.study.plan.plan import Arm, Design, Expected, Manifest, Plan, StudyCase

MANUAL = Arm("manual", ("paint", "erase"), reference=True)
ASSISTED = Arm("assisted", ("points", "paint", "erase"), "lite")


def crossover(readers: int = 2, **settings: object) -> Plan:
    """A plan of a crossover of two arms."""
    given: dict = {"design": Design(), "expected": Expected(simulations=100)} | settings
    return Plan("trial", tuple(f"R{n + 1}" for n in range(readers)), (MANUAL, ASSISTED), 7, **given)


def cases(count: int, training: int = 1) -> Manifest:
    """So many cases, and some for training."""
    analysed = [StudyCase(f"c{n + 1:02}", f"c{n + 1}.nii.gz", ("L1",)) for n in range(count)]
    trained = [StudyCase(f"t{n + 1}", f"t{n + 1}.nii.gz", training=True) for n in range(training)]
    return Manifest((*analysed, *trained))
