"""Packages of the wheel: the library, and Resources/ as the library's data (see SegAnyPETLib/resources.py)."""

from setuptools import find_packages, setup

setup(
    packages=[*find_packages(include=["SegAnyPETLib", "SegAnyPETLib.*"]), "SegAnyPETLib._resources"],
    package_dir={"SegAnyPETLib._resources": "Resources"},
    package_data={
        "SegAnyPETLib": ["py.typed", "*.pyi"],
        "SegAnyPETLib._resources": [
            "*.safetensors",
            "*.json",
            "*.md",
            "recipes/*.yaml",
            "reports/*.html",
            "study/*.json",
        ],
    },
)
