# Two commands on a fresh Debian or Ubuntu with Python 3.11: `make demo` and `make test`. Both do all set-up first.
VENV ?= .venv
READY := $(VENV)/.ready
export OMP_WAIT_POLICY ?= passive

.PHONY: help setup demo test check format bench paper ablation
help:
	@echo "make demo    set up, then run the four commands with the simulated sensor: a table and a page with pictures"
	@echo "make test    set up, then run the tests"
	@echo "make check   format, lint, strict types"
	@echo "make bench   measure speeds on this machine"
	@echo "make paper   train and test RECIPES on PATCHES and MESHES (LINEMOD) and PAIRS, and write docs/results.md"
	@echo "             for a shorter look: make paper STEPS=400 OBJECTS=cat RECIPES='regression batches normalised srn'"
	@echo "make ablation  what each choice of recipe best is worth, by ABLATION_STEPS batches"
	@echo "make setup   virtual environment in $(VENV), pinned dependencies, system libraries where that is allowed"

setup: $(READY)

# made again when what is installed changes; otherwise the next command starts at once
$(READY): pyproject.toml constraints.txt scripts/setup.sh
	./scripts/setup.sh $(VENV)
	touch $(READY)

demo: $(READY)
	PATH="$(CURDIR)/$(VENV)/bin:$$PATH" ./scripts/demo.sh demo

# one thread for each of the two test processes
test: $(READY)
	OMP_NUM_THREADS=1 $(VENV)/bin/python -m pytest -n 2 $(PYTEST_ARGUMENTS)

check: $(READY)
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/ruff check .
	$(VENV)/bin/mypy

format: $(READY)
	$(VENV)/bin/ruff format .
	$(VENV)/bin/ruff check --fix .

bench: $(READY)
	for script in benchmarks/*.py; do $(VENV)/bin/python $$script || exit 1; done

# goes on where it was stopped: what is finished in paper/ is not done again; shortened, docs/results.md stays as it is
PATCHES ?= ../shared/data/linemod-patches
MESHES ?= ../shared/data/linemod-meshes
OBJECTS ?= ape cam cat
PAIRS ?=
RECIPES ?= regression batches normalised srn wohlhart best
STEPS ?=
OUTPUT ?= paper$(STEPS)
paper: $(READY)
	$(VENV)/bin/train compare $(PAIRS) --patches $(PATCHES) --meshes $(MESHES) --objects $(OBJECTS) \
		--recipes $(RECIPES) $(if $(STEPS),--steps $(STEPS)) --output $(OUTPUT)
	$(if $(STEPS),,$(VENV)/bin/python scripts/write_results.py $(OUTPUT)/comparison.json)

ABLATION_STEPS ?= 400
ablation: $(READY)
	$(MAKE) paper STEPS=$(ABLATION_STEPS) OUTPUT=ablation \
		RECIPES="best best-unguided best-pairs best-formed best-paper-network best-sgd $(if $(PAIRS),best-unvaried)"
