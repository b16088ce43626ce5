PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: install browser demo test editors check bench plots clean

install: $(VENV)/installed

$(VENV)/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev,evaluation,training]'
	touch $@

# What tests of pages look at them with; where it cannot be installed, they are skipped and say so.
browser:
	command -v chromium >/dev/null || (apt-get update -qq && apt-get install -y -qq chromium >/dev/null)

demo: install
	$(BIN)/python -P -m evaluation.demo

test: install
	$(BIN)/pytest

# Real editors with the plugins; what was on their screens is left in build/editors.
editors: install
	$(BIN)/pytest tests/editors

check: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: install
	$(BIN)/pirouette bench infilling --data ../shared/data/humaneval-infilling --limit 200

plots: install
	$(BIN)/python -m evaluation.growth_plot docs/figures/edits-growth.json docs/figures/edits-growth.svg
	$(BIN)/python -m evaluation.fit_confidence --samples docs/figures/confidence.jsonl --plot docs/figures/confidence.svg

clean:
	rm -rf $(VENV) build dist *.egg-info
