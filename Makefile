# setup (everything into .venv) · demo · test · check · bench · docs
PYTHON ?= python3
VENV   := .venv
UV     := $(shell command -v uv 2>/dev/null || echo .tools/bin/uv)
SITE   ?= demo
PORT   ?= 8000

.PHONY: setup demo test style types check bench docs lock

setup: $(VENV)/.done

$(VENV)/.done: requirements.lock pyproject.toml
	@command -v uv >/dev/null || test -x .tools/bin/uv || { $(PYTHON) -m venv .tools && .tools/bin/pip install --quiet uv; }
	$(UV) venv --quiet --allow-existing --python $(PYTHON) $(VENV)
	$(UV) pip sync --quiet --require-hashes --python $(VENV)/bin/python requirements.lock
	$(UV) pip install --quiet --no-deps --python $(VENV)/bin/python --editable .
	@touch $@

demo: setup
	$(VENV)/bin/quanmin demo --site $(SITE) --port $(PORT)

test: setup
	$(MAKE) --no-print-directory -j 2 style types check
	PYTHONDONTWRITEBYTECODE= OPENBLAS_NUM_THREADS=1 $(VENV)/bin/pytest -n 3 --dist loadfile --no-loadscope-reorder

style: setup
	$(VENV)/bin/ruff check quanmin tests bench
	$(VENV)/bin/lint-imports

types: setup
	$(VENV)/bin/mypy

check: setup
	$(VENV)/bin/quanmin catalog check

bench: setup
	$(VENV)/bin/python -m bench

docs: setup
	$(VENV)/bin/python -m docs.generate
	$(VENV)/bin/mkdocs build --quiet --strict

lock:
	$(UV) export --quiet --no-annotate --no-header --all-groups --all-extras --no-emit-project --no-emit-index-url --format requirements-txt --output-file requirements.lock
