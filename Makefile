PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
EXTENSION := vscode-extension

.PHONY: install browser code-server vsix demo test editors check bench plots clean

install: $(VENV)/installed

$(VENV)/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev,evaluation,training]'
	touch $@

$(EXTENSION)/node_modules/installed: $(EXTENSION)/package-lock.json
	cd $(EXTENSION) && npm ci --ignore-scripts
	touch $@

# The extension for VS Code, with the server in it: build/pirouette.vsix.
vsix: install $(EXTENSION)/node_modules/installed
	rm -rf build/lib $(EXTENSION)/server
	mkdir -p build $(EXTENSION)/server
	cp LICENSE $(EXTENSION)
	cp constraints.txt $(EXTENSION)/server
	$(BIN)/pip wheel --quiet --disable-pip-version-check --no-deps --wheel-dir $(EXTENSION)/server .
	cd $(EXTENSION) && npm run --silent build && npm run --silent package

# What tests of pages look at them with; where it cannot be installed, they are skipped and say so.
browser:
	command -v chromium >/dev/null || (apt-get update -qq && apt-get install -y -qq chromium >/dev/null)

# VS Code for its tests, kept between runs.
code-server: browser
	tests/editors/install_code_server.sh "$${XDG_CACHE_HOME:-$$HOME/.cache}/pirouette/code-server"

demo: install
	$(BIN)/python -P -m evaluation.demo

test: install
	$(BIN)/pytest

# Real editors with the plugins; what was on their screens is left in build/editors.
editors: install vsix code-server
	$(BIN)/pytest tests/editors

check: install $(EXTENSION)/node_modules/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	cd $(EXTENSION) && npm run --silent check

bench: install
	$(BIN)/pirouette bench infilling --data ../shared/data/humaneval-infilling --limit 200

plots: install
	$(BIN)/python -m evaluation.growth_plot docs/figures/edits-growth.json docs/figures/edits-growth.svg
	$(BIN)/python -m evaluation.fit_confidence --samples docs/figures/confidence.jsonl --plot docs/figures/confidence.svg

clean:
	rm -rf $(VENV) build dist *.egg-info $(EXTENSION)/node_modules $(EXTENSION)/dist $(EXTENSION)/server
