# Two commands on a fresh Debian or Ubuntu with Python 3.11: `make demo` and `make test`. Both do all set-up first.
VENV ?= .venv
READY := $(VENV)/.ready
export OMP_WAIT_POLICY ?= passive

.PHONY: help setup demo test check format bench paper linemod figure-2 ablation ablation-pairs belt belt-best video
help:
	@echo "make demo    set up, then run the four commands with the simulated sensor: a table and a page with pictures"
	@echo "make test    set up, then run the tests"
	@echo "make check   format, lint, strict types"
	@echo "make bench   measure speeds on this machine"
	@echo "make paper   all figures of docs/results.md, hours; its parts, each by itself:"
	@echo "             make linemod    RECIPES on OBJECTS of PATCHES and MESHES (for a short look: STEPS=400 RESULTS=)"
	@echo "             make figure-2   the paper's four steps on OBJECTS, by FIGURE_STEPS batches, with FIGURE_SEEDS"
	@echo "             make ablation   what each choice of recipe best is worth, on OBJECT"
	@echo "             make ablation-pairs   the same of its choices for pairs files, on a small one"
	@echo "             make belt       hand occlusion, simulated: the last row of the paper's table 2"
	@echo "             make belt-best  best on the same pairs"
	@echo "             make video      one part of a real recording against another"
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

# Each part goes on where it was stopped, finished runs are not done again; RESULTS= writes no results page
PATCHES ?= ../shared/data/linemod-patches
MESHES ?= ../shared/data/linemod-meshes
VIDEO ?= ../shared/data/hand-mug
OBJECTS ?= ape cam cat
OBJECT ?= cat
RECIPES ?= srn best wohlhart
VIEWS ?= 4000
STEPS ?=
FIGURE_STEPS ?= 1650
FIGURE_OPTIONS ?= --fixed-images --loss.sign hemisphere --learning-rate 0.1
FIGURE_VIEWS ?= 2500
FIGURE_SEEDS ?= 0 1
SHORT_STEPS ?= 250
SHORT_VIEWS ?= 1000
BELT_SIZE ?= 32 40 24
BELT_EPOCHS ?= 15
BELT_BEST_EPOCHS ?= 48
SMALL_BELT_SIZE ?= 10 40 8
SMALL_BELT_STEPS ?= 500
SMALL_BELT_SEEDS ?= 0 1
CLOSER = --input.part 0.75 --input.size 36
BELT = $(OUTPUT)/belt
OUTPUT ?= paper
RESULTS ?= docs
ON_PATCHES = --patches $(PATCHES) --meshes $(MESHES)
# about as many images as the paper has of an object, and none of them varied
OF_FIGURE = $(ON_PATCHES) --objects $(OBJECTS) --views $(FIGURE_VIEWS) --variation 0 --steps $(FIGURE_STEPS) $(FIGURE_OPTIONS)
SHORTENED = $(ON_PATCHES) --objects $(OBJECT) --views $(SHORT_VIEWS) --steps $(SHORT_STEPS)
AT_MOST = $(if $(STEPS),--steps $(STEPS))
WRITE = $(if $(RESULTS),$(VENV)/bin/python -m scripts.write_results $@ $(OUTPUT)/$@/comparison.json $(RESULTS))

paper: linemod figure-2 ablation ablation-pairs belt belt-best video

linemod: $(READY)
	$(VENV)/bin/train compare $(ON_PATCHES) --views $(VIEWS) --objects $(OBJECTS) --recipes $(RECIPES) $(AT_MOST) \
		--output $(OUTPUT)/$@
	$(WRITE)

figure-2: $(READY)
	$(VENV)/bin/train compare $(OF_FIGURE) --recipes regression batches normalised srn --seeds $(FIGURE_SEEDS) \
		--output $(OUTPUT)/$@
	$(WRITE)

ablation: $(READY)
	$(VENV)/bin/train compare $(SHORTENED) --recipes best best-unguided best-pairs best-formed best-plain \
		best-paper-network best-sgd --output $(OUTPUT)/$@
	$(WRITE)

ablation-pairs: $(READY)
	PATH="$(CURDIR)/$(VENV)/bin:$$PATH" ./scripts/belt.sh $(OUTPUT)/$@ $(SMALL_BELT_SIZE)
	$(VENV)/bin/train compare $(OUTPUT)/$@/belt.h5 --recipes best best-float32 best-cosine best-last-norms best-adamw \
		best-own-hands best-one-look best-unvaried best-plain --steps $(SMALL_BELT_STEPS) $(CLOSER) \
		--seeds $(SMALL_BELT_SEEDS) --output $(OUTPUT)/$@
	$(WRITE)

belt: $(READY)
	PATH="$(CURDIR)/$(VENV)/bin:$$PATH" ./scripts/belt.sh $(BELT) $(BELT_SIZE)
	$(VENV)/bin/train compare $(BELT)/belt.h5 --recipes srn wohlhart $(or $(AT_MOST),--epochs $(BELT_EPOCHS)) \
		$(CLOSER) --output $(OUTPUT)/$@
	$(WRITE)

# of all pixels that a crop of 96 has there, and for longer; the paper's network would take far longer with them
belt-best: $(READY)
	PATH="$(CURDIR)/$(VENV)/bin:$$PATH" ./scripts/belt.sh $(BELT) $(BELT_SIZE)
	$(VENV)/bin/train compare $(BELT)/belt.h5 --recipes best $(or $(AT_MOST),--epochs $(BELT_BEST_EPOCHS)) \
		--input.part 0.75 --input.size 72 --output $(OUTPUT)/$@
	$(WRITE)

video: $(READY)
	PATH="$(CURDIR)/$(VENV)/bin:$$PATH" ./scripts/video.sh $(VIDEO) $(OUTPUT)/$@
	$(VENV)/bin/train compare $(OUTPUT)/$@/hand-mug.h5 --recipes best $(AT_MOST) --output $(OUTPUT)/$@
	$(WRITE)
