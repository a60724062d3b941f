# Everything a fresh machine needs is installed by the targets themselves.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
SERVER_STAMP := $(VENV)/.installed-server

.DEFAULT_GOAL := help
.PHONY: help demo test lint format pins bench-agent bench-domains bench-engine bench-initial bench-latency clean

help: ## List the targets
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

$(BIN)/uv:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Isthmus needs Python 3.11 or newer.")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv

$(SERVER_STAMP): requirements.txt provisioning_agent/pyproject.toml | $(BIN)/uv
	$(BIN)/uv pip install --quiet --python $(BIN)/python -r requirements.txt -e ./provisioning_agent
	touch $@

$(STAMP): requirements-dev.txt $(SERVER_STAMP)
	$(BIN)/uv pip install --quiet --python $(BIN)/python -r requirements-dev.txt
	touch $@

demo: $(SERVER_STAMP) ## Real AD, real agent, real sync: shows it and keeps running (ONCE=1: checks a delta and ends)
	$(BIN)/python -m lab.demo $(if $(ONCE),--once)

test: $(STAMP) ## Every test, on real servers (ARGS="tests -k guard": just these)
	$(BIN)/python -m lab.packages samba browser systemd kerberos
	$(BIN)/python -m $(if $(ARGS),pytest $(ARGS),lab.shards)

lint: $(STAMP) ## Format, lint, types, import contracts, migrations, deployment check
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy .
	$(BIN)/lint-imports
	$(BIN)/python manage.py makemigrations --check --dry-run
	ISTHMUS_PUBLIC_URL=https://isthmus.example ISTHMUS_AGENT_URL=https://isthmus.example \
		$(BIN)/python manage.py check --deploy --fail-level WARNING

format: $(STAMP) ## Format and fix what can be fixed
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

pins: $(STAMP) ## Pin requirements*.in again
	$(BIN)/uv pip compile --quiet --upgrade --no-annotate --no-header requirements.in -o requirements.txt
	$(BIN)/uv pip compile --quiet --upgrade --no-annotate --no-header requirements-dev.in -o requirements-dev.txt

bench-agent: $(STAMP) ## 116 000 objects read and posted by the agent, beside ldapsearch
	$(BIN)/python -m bench.agent $(ARGS)

bench-domains: $(STAMP) ## 1000 idle domains every two minutes, for 10 minutes (MINUTES=2 DOMAINS=200)
	$(BIN)/python -m bench.domains --domains $(or $(DOMAINS),1000) --minutes $(or $(MINUTES),10)

bench-latency: $(STAMP) ## From a change in Active Directory to the cloud, 100 single changes
	$(BIN)/python -m bench.latency $(ARGS)

bench-engine: $(STAMP) ## The service alone: 150 000 users, 1 000 000 memberships (ARGS="--scale 0.1")
	$(BIN)/python -m bench.engine $(ARGS)

bench-initial: $(STAMP) ## Initial cycle of 20 000 users beside ldapsearch
	$(BIN)/python -m bench.initial $(ARGS)

clean: ## Remove what was generated (the virtual environment too)
	rm -rf $(VENV) var
