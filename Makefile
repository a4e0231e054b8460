# Two commands do everything: `make demo` shows ghost text on real code, `make test` proves that it works.
# Both set up what they need first. Another interpreter: `make PYTHON=python3.12 demo`.

PYTHON ?= python3
RUN := .venv/bin/python
ARGS ?=

.PHONY: help setup demo test check bench docs clean

help:
	@echo "make demo   set up, then show ghost text on real files with the bundled model"
	@echo "make test   set up, then run the tests           (ARGS='-k spot' chooses some)"
	@echo "make check  set up, then lint, format, types"
	@echo "make bench  set up, then list the benchmarks and run the quick ones"
	@echo "make docs   write the generated parts of the documents again"
	@echo "make clean  remove .venv and everything else that is generated"

setup:
	@$(PYTHON) scripts/setup.py

demo: setup
	@$(RUN) -m scripts.demo $(ARGS)

test: setup
	@for version in 0.12 0.10; do \
	  PATH="$(CURDIR)/.venv/bin:$$PATH" scripts/get_neovim.sh "" $$version >/dev/null \
	    || echo "There is no Neovim $$version for the tests that drive one."; \
	done
	$(RUN) -m pytest $(ARGS)

check: setup
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .
	$(RUN) -m mypy

bench: setup
	@$(RUN) -m benchmarks $(ARGS)

docs: setup
	@$(RUN) -m scripts.code_map --write

clean:
	rm -rf .venv .tools build dist benchmarks/out .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
