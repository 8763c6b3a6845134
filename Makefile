# `make app` and `make test` install by themselves what is missing; see scripts/setup.sh for VENV=, PYTHON= and the rest.
VENV ?= .venv
export VENV

.DEFAULT_GOAL := help
.PHONY: help app test faults lint format bench dev

help:    ## show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' Makefile

app:     ## start the app in the browser; ARGS="--server.port 9000" goes to streamlit
	@bash scripts/app.sh $(ARGS)

test:    ## run the tests; FOP_TESTS=all runs the long ones too, ARGS="tests/optim -k momentum" goes to pytest
	@bash scripts/test.sh $(ARGS)

faults: dev    ## kill jobs at 200 random moments, damage what lies around others, print what came of it (40 minutes)
	"$(VENV)"/bin/python -m tests.faults.kills $(ARGS)
	"$(VENV)"/bin/python -m tests.faults.damages
	"$(VENV)"/bin/python -m tests.faults.studies
	"$(VENV)"/bin/python -m tests.slurm.faults
	"$(VENV)"/bin/python -m tests.slurm.faults --study

lint: dev    ## check style and types
	"$(VENV)"/bin/python -m ruff check .
	"$(VENV)"/bin/python -m ruff format --check .
	"$(VENV)"/bin/python -m mypy
	"$(VENV)"/bin/lint-imports
	@bash scripts/web.sh check

format: dev    ## rewrite the code in the project's style
	"$(VENV)"/bin/python -m ruff check --fix .
	"$(VENV)"/bin/python -m ruff format .
	@bash scripts/web.sh format

bench:   ## run the benchmarks: JSON on stdout and in benchmarks/results/
	@bash scripts/bench.sh

dev:
	@bash scripts/setup.sh dev
