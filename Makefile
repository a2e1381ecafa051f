# `make` alone shows what there is.
SHELL := /bin/bash
export PATH := $(PATH):/usr/local/sbin:/usr/sbin:/sbin
PYTHON := .venv/bin/python
SHARED := -n 2 --dist loadfile --no-loadscope-reorder
.DEFAULT_GOAL := help
.PHONY: help setup bpf demo test show check bench soak

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-7s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## .venv with the locked versions (as root also the missing system packages)
	@scripts/setup.sh

bpf: ## the XDP program, where clang is (as root setup installs nothing for it: doctor says what it takes)
	@python3 scripts/bpf.py

demo: setup ## the whole way: check, lab, push, real packets, one change, rollback
	@$(PYTHON) scripts/demo.py

test: export PYTHONDONTWRITEBYTECODE := # the second part need not compile the tests anew
test: setup ## all tests in two processes: first what only computes, then what builds labs and sends packets
	@status=0; $(PYTHON) -m pytest $(SHARED) -m "not lab" || status=1; \
	$(PYTHON) -m pytest $(SHARED) -m lab || status=1; exit $$status

show: setup ## what an issue must show: make show ISSUE=one-command [LINE=4]
	@$(PYTHON) scripts/show.py "$(ISSUE)" $(LINE)

check: setup ## ruff, mypy --strict, import contracts
	@$(PYTHON) -m ruff check .
	@$(PYTHON) -m mypy
	@PYTHONPATH=builder .venv/bin/lint-imports

bench: setup ## measurements beside installed peers, into benchmarks/RESULTS.md: make bench [SIZE=full] [ONLY=generation]
	@$(PYTHON) -m benchmarks --size $(or $(SIZE),quick) $(ONLY)

soak: setup ## long runs: soak/README.md
	@ls soak/soak_*.py >/dev/null 2>&1 || echo "no long run exists yet: soak/README.md"
	@for file in $(wildcard soak/soak_*.py); do echo "== $$file"; $(PYTHON) $$file || exit 1; done
