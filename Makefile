# Everything happens in .venv; nothing is installed outside it, except fonts for the tests where that is
# possible (root on Debian or Ubuntu). Stamps make a second call start in seconds.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
PROGRAMS := tesseract-ocr espeak-ng postgresql redis-server chromium

.PHONY: help run test test-slow test-exhaustive test-peers lint clean

help:  ## show this list
	@echo "make run     set up, fetch the base weights, answer a sample question, then serve the web page"
	@echo "make test    set up, install what the tests need, and run those that take seconds"
	@echo "make test-slow  the tests that take longer; .ci/run does both"
	@echo "make test-exhaustive  those that take many minutes: every bad input at every entrance, longer searches"
	@echo "make test-peers the metrics beside lmms-eval's own code, in an environment that it makes (once, 1.5 GB)"
	@echo "make lint    style, types and the floors of the house"
	@echo "make clean   remove the environment and caches of this folder"
	@echo
	@echo "Another Python: make run PYTHON=python3.12 (3.11, 3.12 or 3.13)"

run: $(VENV)/stamp-run
	$(BIN)/clearsight demo
	$(BIN)/clearsight serve --open

# Two processes of one thread each: threads that wait for each other would only slow both down.
test: $(VENV)/stamp-test $(VENV)/stamp-fonts
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -m "not slow and not exhaustive and not peer" -n 2 --dist loadfile --durations 15

test-slow: $(VENV)/stamp-test $(VENV)/stamp-fonts
	$(BIN)/python -m pytest -m slow --durations 15

test-exhaustive: $(VENV)/stamp-test $(VENV)/stamp-fonts
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -m exhaustive

test-peers: $(VENV)/stamp-test $(VENV)/stamp-fonts
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -m peer

lint: $(VENV)/stamp-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy clearsight/models clearsight/processing clearsight/decoding clearsight/engine clearsight/training clearsight/evals clearsight/safety clearsight/speech clearsight/describing clearsight/experts clearsight/server clearsight/weights
	$(BIN)/lint-imports

clean:
	rm -rf $(VENV) build *.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis

$(VENV)/stamp-python:
	@command -v $(PYTHON) >/dev/null || { \
	  echo "There is no $(PYTHON) here: install Python 3.11, 3.12 or 3.13, or name one: make run PYTHON=..."; \
	  exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' || { \
	  echo "$(PYTHON) is $$($(PYTHON) --version), and Clearsight needs 3.11, 3.12 or 3.13:" \
	    "install one and name it: make run PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || { \
	  echo "$(PYTHON) cannot make environments: on Debian or Ubuntu, apt-get install python3-venv"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(PIP) install --quiet --upgrade 'pip>=25.1'
	@touch $@

$(VENV)/stamp-run: $(VENV)/stamp-python pyproject.toml
	$(PIP) install -e '.[ocr,speech]'
	@touch $@

$(VENV)/stamp-test: $(VENV)/stamp-python pyproject.toml
	$(PIP) install -e '.[test,lint,train]'
	@touch $@ $(VENV)/stamp-run

# The generated pictures are drawn with fonts of the system; Tesseract reads beside models, espeak-ng speaks, servers
# share PostgreSQL and Redis, and Chromium looks at the page. The stamp is set only once the fonts are there; tests of
# the other programs are skipped without them, and fail where CI=true.
$(VENV)/stamp-fonts: $(VENV)/stamp-test clearsight/data/worlds/drawing/fonts.py
	@if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  packages=$$($(BIN)/python -c 'from clearsight.data.worlds.drawing.fonts import FAMILIES; \
	    print(*sorted({family.package for family in FAMILIES}), "$(PROGRAMS)")') && \
	  export DEBIAN_FRONTEND=noninteractive && \
	  { dpkg -s $$packages >/dev/null 2>&1 || { apt-get update -qq && \
	    apt-get install -y -qq --no-install-recommends $$packages >/dev/null; }; } || \
	    echo "Some of these could not be installed: fonts, $(PROGRAMS)"; \
	fi
	@$(BIN)/python -c 'from clearsight.data.worlds.drawing.fonts import check; check()'
	@touch $@
