# make demo | test | test-all | mutations | formats | odd-files | report-check | bids-check | bench | gpu | research | docs | dist |
# lint: each sets up what it needs in .venv, once.
# Every path is relative and every tool is run through the venv's python, so a folder with a space in its name works.

PYTHON ?= python3
DATA ?=
VENV := .venv
RUN := $(VENV)/bin/python
SETUP := pyproject.toml constraints.txt
INSTALL := $(RUN) -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable

.PHONY: demo test test-all mutations formats odd-files report-check bids-check bench gpu research docs dist lint format clean

demo: $(VENV)/.demo
	$(RUN) -m MedInpaintLib.cli demo --output demo-output

test: $(VENV)/.test
	$(RUN) -m pytest -m "not slow" -n 2 --dist loadfile

test-all: $(VENV)/.test
	$(RUN) -m pytest -n 2 --dist loadfile

# Lines of the engine are broken, one at a time in a copy, and tests must fail; ONLY=words tries some.
mutations: $(VENV)/.test
	$(RUN) -m Testing.mutations $(ONLY)

# The files that nibabel and pydicom install for their own tests.
formats: $(VENV)/.test
	$(RUN) -m Testing.foreign_files

# Damaged and odd files of many kinds, in every format.
odd-files: $(VENV)/.test
	$(RUN) -m Testing.odd_files

# Pages of fills in a real browser: Chromium, which must be there. Look at the screenshots in report-output.
report-check: $(VENV)/.browser
	$(RUN) -m Testing.report_check

# The BIDS validator (Deno, from PyPI) on an example dataset and on what is made of it.
bids-check: $(VENV)/.bids
	$(RUN) -m Testing.bids_check

# With DATA=FOLDER also real loads (lesions, a stroke, a tumour), whose table is docs/loads.
bench: $(VENV)/.bench
	DATA="$(DATA)" $(RUN) Testing/Benchmarks/run.py

# On a machine with a CUDA device: every released model there and on the CPU, and a short training. Writes docs/gpu.
gpu: $(VENV)/.research
	$(RUN) -m Research gpu

# Without a NAME, all studies are listed.
research: $(VENV)/.research
	$(RUN) -m Research $(NAME) $(if $(NAME),--data "$(DATA)" $(OPTIONS))

# The documentation site, in site/; without PyTorch the gallery lacks the trained methods. Pictures are kept in .cache.
docs: $(VENV)/.docs
	NO_MKDOCS_2_WARNING=1 $(RUN) -m mkdocs build

# Wheel, source archive and the recipe for conda-forge, in dist.
dist: $(VENV)/.dist
	rm -rf dist
	$(RUN) -m build
	$(RUN) -m twine check --strict dist/*
	$(RUN) Packaging/conda_recipe.py dist/*.tar.gz > dist/recipe.yaml

lint: $(VENV)/.lint
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .
	$(RUN) -m mypy
	$(VENV)/bin/python -c "import sys; from importlinter.cli import lint_imports_command; sys.argv = ['lint-imports']; lint_imports_command()"
	$(RUN) Testing/cmake_lists.py

format: $(VENV)/.lint
	$(RUN) -m ruff check --fix .
	$(RUN) -m ruff format .
	$(RUN) Testing/cmake_lists.py --fix

clean:
	rm -rf $(VENV) demo-output report-output site .cache

$(VENV)/.python:
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 10) else "MedInpaint needs Python 3.10 or newer; found %s. Try: make PYTHON=python3.12" % sys.version.split()[0])'
	$(PYTHON) -m venv $(VENV)
	touch $@

# One stamp a set of extras: the demo does not wait for the test tools.
$(VENV)/.demo: $(VENV)/.python $(SETUP)
	$(INSTALL) ".[cli,report,opencv]"
	touch $@

$(VENV)/.test: $(VENV)/.python $(SETUP)
	$(INSTALL) ".[cli,report,opencv,test]"
	touch $@ $(VENV)/.demo

$(VENV)/.browser: $(VENV)/.python $(SETUP)
	$(INSTALL) ".[cli,browser]"
	touch $@

$(VENV)/.bench: $(VENV)/.python $(SETUP)
	$(INSTALL) ".[cli,report,opencv,learned,bench]"
	touch $@

$(VENV)/.research: $(VENV)/.python $(SETUP)
	$(INSTALL) ".[cli,research]"
	touch $@

$(VENV)/.bids: $(VENV)/.python $(SETUP)
	$(INSTALL) ".[cli,bids-check]"
	touch $@

$(VENV)/.docs: $(VENV)/.python $(SETUP)
	$(INSTALL) ".[cli,report,opencv,docs]"
	touch $@

$(VENV)/.dist: $(VENV)/.python $(SETUP)
	$(INSTALL) ".[dist]"
	touch $@

$(VENV)/.lint: $(VENV)/.python $(SETUP)
	$(INSTALL) ".[cli,lint]"
	touch $@
