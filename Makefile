# make demo    one steered episode in the simulated cell; leaves its results in runs/
# make session one task from steered rollouts to a noise policy that drives, live; TASK=tidy_sponge
# make test    all checks and tests
# make bench   the benchmarks, as Markdown; on a machine that does nothing else
# make faults  every fault while the arm stands and moves, TRIALS=1 times; the table goes into docs/safety.md
# make franky  the driver of a real FR3 against two simulators that speak libfranka's wire protocol
# make soak    10,200 hostile chunks to the simulated arm; faults at random with more of them, for MINUTES=10
#
# OPERATOR=keyboard   steer yourself (default: scripted)
# TASK=...            task of the session
# ARGS="..."          further arguments of `frs demo` or `frs session`
# PYTHON=python3.12   the Python that .venv is made with (default: the newest that suits)

SHELL := /bin/bash
OPERATOR ?= scripted
TASK ?= tidy_sponge
ARGS ?=
MINUTES ?= 10
TRIALS ?= 1

ENTER := source tools/env.sh
CHECKED := bench conftest.py launch src test tools

.PHONY: help setup demo session test bench faults franky soak lint format clean

help:
	@sed -n 's/^# \{0,1\}//p; /^$$/q' Makefile

setup:
	@tools/setup.sh

demo: setup
	@$(ENTER) && exec frs demo --operator $(OPERATOR) $(ARGS)

session: setup
	@$(ENTER) && exec frs session --task $(TASK) $(ARGS)

test: setup lint
	@$(ENTER) && export PYTEST_ADDOPTS="--durations=15 --durations-min=5" && \
		pytest -n auto --dist loadfile -m "not nodes and not whole_graph and not faults" && \
		pytest -m "nodes and not whole_graph and not faults" && pytest -m whole_graph && exec pytest -m faults

bench: setup
	@$(ENTER) && python bench/gate.py && echo && python bench/inference.py && echo && \
		python bench/overhead.py

faults: setup
	@$(ENTER) && mkdir -p runs && rm -f runs/faults-*.json && for trial in $$(seq $(TRIALS)); do \
		FRS_FAULTS_JSON=runs/faults-$$trial.json pytest launch/test/test_fault_table.py launch/test/test_sim_time.py \
			launch/test/test_wall_time.py || exit; done && \
		exec python bench/faults.py docs/safety.md runs/faults-*.json

franky: setup
	@exec tools/franky.sh

soak: setup
	@$(ENTER) && FRS_HOSTILE_CHUNKS=3400 pytest src/frs_sim/test/test_hostile_cell.py && \
		FRS_SOAK_MINUTES=$(MINUTES) exec pytest -s -o faulthandler_timeout=0 launch/test/test_soak.py

lint: setup
	@$(ENTER) && ruff format --check $(CHECKED) && ruff check $(CHECKED) && mypy

format: setup
	@$(ENTER) && ruff format $(CHECKED) && ruff check --fix $(CHECKED)

clean:
	rm -rf .venv .setup ros2_ws/build ros2_ws/install ros2_ws/log
