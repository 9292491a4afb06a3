# Every habit of this repository as one command; `make` alone lists them.
# PYTHON=... chooses the interpreter for `make setup`; without it the first new enough one is taken.

SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

RUN := deploy/toolchain/run
PYTEST := $(RUN) .venv/bin/python -m pytest
CONTRACTS := APE_DATA_FOLDER=$(CURDIR)/.build/ape $(RUN) .venv-contracts/bin/python -m pytest -c tests/contracts/pytest.ini
FAST := not slow and not toolchain
# Real processes against the clock get the machine to themselves; the long ones have `make e2e`.
TOGETHER := not realtime
ALONE := realtime and not e2e

# Of `make demo`; several operators or spans are separated by blanks: KILL="3@16 4@20".
NETWORK_OPTIONS = \
  $(foreach each,slots slot-seconds operators validators ports,$(call option,$(each))) \
  $(foreach each,$(KILL),--kill $(each)) $(foreach each,$(RESTART),--restart $(each)) \
  $(foreach each,$(STOP_BEACON),--stop-beacon $(each)) $(if $(PLAIN),--plain)
option = $(if $($(call named,$1)),--$1 $($(call named,$1)))
named = $(shell echo $1 | tr a-z- A-Z_)

.PHONY: help setup check lint test demo devnet contracts gas invariants mutants sim chaos e2e fuzz vectors bench docs fmt lock audit clean .installed

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "  make %-10s %s\n", $$1, $$2}' Makefile

setup: ## install everything, exactly as locked; takes a second when nothing changed
	@PYTHON="$(PYTHON)" deploy/toolchain/setup.sh

check: lint ## lint, types, import rules and the fast tests
	@echo "==> fast tests"
	@$(PYTEST) -q -n auto -m "$(FAST) and not realtime"

lint: .installed ## formatting, lint, types and import rules
	@echo "==> ruff: lint"
	@.venv/bin/ruff check
	@echo "==> ruff: formatting"
	@.venv/bin/ruff format --check
	@echo "==> mypy: types"
	@.venv/bin/mypy
	@echo "==> import-linter: who may import whom"
	@.venv/bin/lint-imports --no-logo
	@echo "==> forge fmt and solhint: contracts"
	@$(RUN) forge fmt --check contracts
	@$(RUN) solhint --quiet --max-warnings 0 'contracts/**/*.sol'

test: setup ## everything: setup, lint, and all tests
	@$(MAKE) lint
	@echo "==> contracts: compiling, when they changed"
	@$(RUN) .venv/bin/python -m sdk.toolchain
	@echo "==> tests that run side by side"
	@$(PYTEST) -n auto --dist worksteal --durations 5 -m "$(TOGETHER)"
	@$(MAKE) contracts
	@echo "==> tests of real processes and sockets, one at a time"
	@$(PYTEST) --durations 5 -m "$(ALONE)"

contracts: .installed ## behaviour and invariants of the contracts, in Ape's environment
	@echo "==> contracts: behaviour, on anvil"
	@$(CONTRACTS) tests/contracts/behaviour -q
	@echo "==> contracts: invariants"
	@$(CONTRACTS) tests/contracts/invariants -q

demo: setup ## a journey, then a network that runs: [SLOTS=n, from 16 on]; more in docs/devnet.md
	@echo "==> demo"
	@$(RUN) .venv/bin/python -m examples.demo
	@echo "==> demo: operators' nodes and a real beacon chain"
	@$(RUN) .venv/bin/python -m deploy.devnet.network $(NETWORK_OPTIONS)

devnet: setup ## a local network that stays, with room for your operator (docs/run-a-node.md)
	@echo "==> local network"
	@$(RUN) .venv/bin/python -m deploy.devnet.practice

gas: setup ## gas of every operation beside the reference network's; writes build/gas.json
	@echo "==> gas"
	@$(RUN) .venv/bin/python -m tests.gas

invariants: setup ## fuzz the contracts against the model: STEPS=n SEED=s
	@echo "==> invariants"
	@$(RUN) .venv-contracts/bin/python -m tests.contracts.invariants --steps $(or $(STEPS),2000) --seed $(or $(SEED),1)

sim: setup ## whole committees on virtual time under faults: SEEDS=n [N=4|7|10|13] [SEED=s] [REAL=1]
	@echo "==> simulation"
	@$(RUN) .venv/bin/python -m tests.simulation --seeds $(or $(SEEDS),500) $(if $(N),--size $(N)) $(if $(SEED),--seed $(SEED)) $(if $(REAL),--real)

chaos: setup ## faults against a network of real processes: [ONLY="name name"] [SLOTS=n] [SLOT_SECONDS=s]
	@echo "==> chaos"
	@$(RUN) .venv/bin/python -m tests.chaos $(foreach each,$(ONLY),--only $(each)) $(if $(SLOTS),--slots-per-fault $(SLOTS)) $(if $(SLOT_SECONDS),--slot-seconds $(SLOT_SECONDS))

e2e: setup ## the beacon room on real clients, and four operators until the chain finalizes (40 min)
	@echo "==> end to end"
	@$(PYTEST) -s -m e2e

fuzz: setup ## hostile bytes into every decoder and the gossip rules: MINUTES=m [SEED=s]
	@echo "==> fuzz"
	@$(RUN) .venv/bin/python -m tests.fuzz --minutes $(or $(MINUTES),1) $(if $(SEED),--seed $(SEED))

vectors: setup ## run published test vectors: DIR=folder, by default the one beside this checkout
	@echo "==> vectors"
	@$(RUN) .venv/bin/python -m tests.vectors $(DIR)

bench: setup ## figures, with the command and machine that made them
	@echo "==> benchmarks"
	@$(RUN) .venv/bin/python -m tests.bench

docs: .installed ## write the generated pages and dashboards anew, and the site into .build/site
	@echo "==> generated pages"
	@.venv/bin/python -m deploy.pages
	@.venv/bin/python -m deploy.grafana.dashboards
	@echo "==> site"
	@NO_MKDOCS_2_WARNING=1 .venv/bin/python -m mkdocs build --strict --quiet

fmt: .installed ## repair formatting and what lint can repair
	@echo "==> ruff: lint, with repairs"
	@.venv/bin/ruff check --fix
	@echo "==> ruff: formatting"
	@.venv/bin/ruff format

lock: setup ## write all locks anew; UPGRADE=1 takes newer versions
	@UPGRADE="$(UPGRADE)" deploy/toolchain/lock.sh

audit: setup ## solhint, slither and halmos on the contracts
	@PYTHON="$(PYTHON)" deploy/toolchain/setup.sh audit
	@echo "==> solhint"
	@$(RUN) solhint --max-warnings 0 'contracts/**/*.sol'
	@echo "==> slither, against the table in docs/static-analysis.md"
	@$(RUN) .venv-audit/bin/python deploy/audit.py
	@echo "==> halmos: the packed words, for every input"
	@FOUNDRY_PROFILE=proofs $(RUN) .venv-audit/bin/halmos --contract WordProofs --forge-build-out .build/forge-proofs/out

mutants: setup ## put faults into the contracts, one by one, and show that tests fail
	@echo "==> mutants"
	@$(RUN) .venv/bin/python -m tests.mutants

clean: ## remove what setup installed and every cache of this checkout
	@echo "==> clean"
	@rm -rf .venv .venv-contracts .venv-audit .venv-uv node_modules tests/consensus/node_modules
	@rm -rf .build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

.installed:
	@test -e .venv/bin/phalanx || { echo "==> nothing is installed yet; run: make setup" >&2; exit 1; }
