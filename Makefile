# make demo   the bundled model on a phantom, or on your own scan: make demo PET=path POINT=r,a,s
# make check  lint, types, the import rules and the fast tests: in a minute, before every commit
# make test   the same with all tests
# make docs   the documentation as pages in site/
# make fuzz   20000 hostile requests to the server, or another number: make fuzz REQUESTS=100000
# They build .venv from the versions in constraints.txt; the second time they find it ready.

VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip install -qq --disable-pip-version-check --constraint constraints.txt
OUTPUT ?= demo_output
REQUESTS ?= 20000
MUTANTS  ?= 200
# Processes that share the tests; each computes on one thread.
WORKERS ?= 2
PYTEST = $(BIN)/python -m pytest -q --numprocesses $(WORKERS) --dist worksteal

# The first Python that runs and is 3.11 or newer; say PYTHON=... to choose another.
PYTHON ?= $(firstword $(foreach p,python3.11 python3.12 python3 python,$(if $(filter ok,$(shell $(p) -c \
	'import sys; print("ok" if sys.version_info >= (3, 11) else "old")' 2>/dev/null)),$(p))))

INPUTS := pyproject.toml setup.py constraints.txt

# What Qt and VTK load on Linux in tests of the Slicer module: OpenGL without a graphics card, and a font.
SYSTEM_LIBRARIES := libegl1 libgl1 libgl1-mesa-dri libopengl0 libxkbcommon0 libdbus-1-3 libfontconfig1 fonts-dejavu-core

.PHONY: help demo check test system-libraries fuzz coverage mutation lint format bench clean docs

help:
	@sed -n '1,6s/^# //p' Makefile

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or 3.12 is needed and was not found; install it, or name it: make PYTHON=/path/to/python3.12" >&2; exit 2; }
	$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); exit 1; }

# setuptools comes first, from the constraints, so that the build of the package itself is pinned too.
$(VENV)/demo.stamp: $(INPUTS) | $(BIN)/python
	@echo "installing the library with its model into $(VENV) (a few minutes the first time)"
	$(PIP) setuptools
	$(PIP) --no-build-isolation --editable '.[training]'
	@touch $@

$(VENV)/test.stamp: $(INPUTS) | $(BIN)/python
	@echo "installing the library with its tests into $(VENV) (a few minutes the first time)"
	$(PIP) setuptools
	$(PIP) --no-build-isolation --editable '.[test]'
	@touch $@ $(VENV)/demo.stamp

demo: $(VENV)/demo.stamp
ifdef PET
	@test -n "$(POINT)" || { echo "say where the lesion is: make demo PET=path POINT=r,a,s" >&2; exit 2; }
	@mkdir -p "$(OUTPUT)"
	$(BIN)/seganypet segment "$(PET)" --point="$(POINT)" --output "$(OUTPUT)/segmentation.seg.nrrd" --figure "$(OUTPUT)/segmentation.png"
else
	$(BIN)/seganypet demo --output "$(OUTPUT)"
endif

check: lint
	$(PYTEST) -m "not slow"

test: lint system-libraries
	$(PYTEST)

# What no test runs, line by line; processes that tests start are not counted.
coverage: $(VENV)/test.stamp
	$(PYTEST) --cov --cov-report=term:skip-covered

# A random sample of 200 mutants by default; MUTANTS=0 takes all, which takes hours.
mutation: $(VENV)/test.stamp
	$(PIP) --no-build-isolation --editable '.[mutation]'
	$(BIN)/python Testing/tools/mutation.py --sample $(MUTANTS) --processes $(WORKERS)

# make test sends a few of them too.
fuzz: $(VENV)/test.stamp
	SEGANYPET_FUZZ_REQUESTS=$(REQUESTS) $(BIN)/python -m pytest -q Testing/fuzz

# Where it may not install them (no root, no apt, no network), tests that need them skip and say so.
system-libraries:
	@if command -v apt-get >/dev/null && ! dpkg -s $(SYSTEM_LIBRARIES) >/dev/null 2>&1; then \
		if [ "$$(id -u)" = 0 ]; then \
			{ apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $(SYSTEM_LIBRARIES); } \
				|| echo "the system libraries were not installed; tests that need them will skip"; \
		else echo "tests that need these libraries may skip; as root: apt-get install $(SYSTEM_LIBRARIES)"; fi; fi

lint: $(VENV)/test.stamp
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/codespell

format: $(VENV)/test.stamp
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

$(VENV)/docs.stamp: $(INPUTS) | $(VENV)/test.stamp
	$(PIP) --no-build-isolation --editable '.[docs]'
	@touch $@

# The pages and the API reference into site/, to be opened without a network.
docs: $(VENV)/docs.stamp
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet
	@echo "open site/index.html"

bench: $(VENV)/test.stamp
	$(BIN)/seganypet bench --threads 2
	$(BIN)/seganypet bench --threads 2 --random-weights

# Results stay: OUTPUT may hold segmentations of the user's own scans.
clean:
	rm -rf $(VENV) build *.egg-info
