"""Half-lives of positron emitters, to tell which unit a stated half-life is in and which nuclide it belongs to."""

from __future__ import annotations

import re

#: Half-lives in seconds: NUBASE2020 (doi 10.1088/1674-1137/abddae), rounded.
HALF_LIVES_S: dict[str, float] = {
    "C-11": 1221.8,
    "N-13": 597.9,
    "O-15": 122.24,
    "F-18": 6586.2,
    "Na-22": 8.2108e7,
    "Sc-43": 14007.0,
    "Sc-44": 14550.0,
    "Mn-52": 483062.0,
    "Co-55": 63108.0,
    "Cu-60": 1422.0,
    "Cu-61": 12030.0,
    "Cu-62": 580.2,
    "Cu-64": 45721.0,
    "Ga-66": 34164.0,
    "Ga-68": 4070.7,
    "Ge-68": 2.341e7,
    "As-72": 93600.0,
    "Br-76": 58320.0,
    "Rb-82": 75.45,
    "Y-86": 53064.0,
    "Y-90": 230580.0,
    "Zr-89": 282276.0,
    "I-124": 360806.0,
    "Tb-152": 63000.0,
}

#: Published values of one half-life differ by up to 2 % (Sc-44: 3.97 and 4.04 h).
HALF_LIFE_TOLERANCE = 0.03

#: English names of the elements above, as code meanings of DICOM spell them (PS3.16, CID 4020).
ELEMENTS = {
    "arsenic": "As",
    "bromine": "Br",
    "carbon": "C",
    "cobalt": "Co",
    "copper": "Cu",
    "fluorine": "F",
    "gallium": "Ga",
    "germanium": "Ge",
    "iodine": "I",
    "manganese": "Mn",
    "nitrogen": "N",
    "oxygen": "O",
    "rubidium": "Rb",
    "scandium": "Sc",
    "sodium": "Na",
    "terbium": "Tb",
    "yttrium": "Y",
    "zirconium": "Zr",
}


def nuclide_of(half_life_s: float) -> str | None:
    """Return the positron emitter that has a half-life, or None."""
    close = {name: abs(half_life_s / known - 1.0) for name, known in HALF_LIVES_S.items()}
    name = min(close, key=close.__getitem__)
    return name if close[name] <= HALF_LIFE_TOLERANCE else None


def nuclide_named(text: str) -> str | None:
    """Return the nuclide that a text names (``F-18``, ``18F``, ``^18^Fluorine``, ``Fluorine-18``), or None."""
    found = re.search(r"(\d{2,3})\W*([A-Za-z]+)|([A-Za-z]+)\W*(\d{2,3})", text)
    if found is None:
        return None
    mass = found[1] or found[4]
    element = found[2] or found[3]
    symbol = ELEMENTS.get(element.lower(), element.capitalize())
    name = f"{symbol}-{mass}"
    return name if name in HALF_LIVES_S else None
