# Everything a developer does here, one word each. `make` alone lists it.
# Nothing needs root or a server except `make test`, which says what it installs.

.DEFAULT_GOAL := help
SHELL := /bin/sh
.DELETE_ON_ERROR:
# Two test runs at once would only get in each other's way.
.NOTPARALLEL:

PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV   := .venv
BIN    := $(VENV)/bin
MANAGE := $(BIN)/python manage.py
IMAGE  ?= chat

# Tests and generated files must not depend on a developer's .env or shell.
PLAIN  := env -u DATABASE_URL -u REDIS_URL -u REDIS_PREFIX -u CLOUDINARY_URL DEBUG=true ENV_FILE=
# Twice as many as two cores: much of what they do is wait.
PYTEST := $(BIN)/pytest -n 4 --dist worksteal

export PIP_DISABLE_PIP_VERSION_CHECK := 1
PIP_INSTALL := $(BIN)/pip install --quiet --require-hashes -r

define heading
printf '\n\033[1m== %s\033[0m\n' '$(1)'
endef

# --- Environment. Each stamp is older than the file it was made from only when there is work to do --

$(VENV)/.created:
	@test -n "$(PYTHON)" || { echo "No python3 found. Install Python 3.11: apt-get install python3 python3-venv"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "$(PYTHON) is older than Python 3.11. Name another one: make $(MAKECMDGOALS) PYTHON=/path/to/python3.11"; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || \
		if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
			echo "This Python has no ensurepip; installing python3-venv with apt."; \
			apt-get update -qq >/dev/null 2>&1; DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends python3-venv >/dev/null 2>&1 || { echo "apt could not install it."; exit 1; }; \
		else \
			echo "This Python can't make a virtual environment. Run: sudo apt-get install python3-venv"; exit 1; \
		fi
	@test -x $(BIN)/pip || { echo "Making $(VENV)"; $(PYTHON) -m venv --clear $(VENV); }
	@touch $@

$(VENV)/.base: $(VENV)/.created requirements/base.txt
	@echo "Installing requirements/base.txt"
	@$(PIP_INSTALL) requirements/base.txt
	@touch $@

$(VENV)/.dev: $(VENV)/.base requirements/dev.txt
	@echo "Installing requirements/dev.txt"
	@$(PIP_INSTALL) requirements/dev.txt
	@touch $@

$(VENV)/.mysql: $(VENV)/.created requirements/mysql.txt
	@echo "Building requirements/mysql.txt"
	@$(PIP_INSTALL) requirements/mysql.txt
	@touch $@

.env:
	@cp .env.example .env
	@echo "Made .env from .env.example"

# --- Targets -------------------------------------------------------------------------------------

.PHONY: help
help: # The list is made from the comments that begin with two hashes.
	@awk 'BEGIN { FS = ":.*## " } \
		/^## / { printf "\n\033[1m%s\033[0m\n", substr($$0, 4) } \
		/^[a-z-]+:.*## / { printf "  %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo

## Run it

.PHONY: setup
setup: $(VENV)/.base .env ## Make .venv and .env, install what the server needs

.PHONY: run
run: setup ## Migrate, seed an empty database, serve. Options: PORT=9000 HOST=127.0.0.1
	@$(MANAGE) migrate -v 0
	@$(MANAGE) seed --if-empty
	@exec $(BIN)/python -m chatproject.serve

.PHONY: dev
dev: setup ## The same with autoreload, for development
	@$(MANAGE) migrate -v 0
	@$(MANAGE) seed --if-empty
	@exec $(MANAGE) runserver "$$($(BIN)/python -c \
		'from chatproject import env; print(env.text("HOST", "127.0.0.1"), env.text("PORT", "8080"), sep=":")')"

## Test it

.PHONY: test
test: $(VENV)/.dev ## All tests, twice: SQLite + in-memory, then MariaDB + Redis
	@if sh tests/install_servers.sh; then \
		$(MAKE) --no-print-directory test-fast test-servers; \
	elif [ "$$CI" = true ]; then \
		echo "CI=true: both halves must run."; exit 1; \
	else \
		$(MAKE) --no-print-directory test-fast; \
		$(call heading,NOT RUN: the tests on MariaDB + Redis); \
		echo "As root, \`make test\` installs what they need; or install what is missing above, then run it again."; \
	fi

.PHONY: test-fast
test-fast: $(VENV)/.dev ## The SQLite + in-memory half only
	@$(call heading,Tests on SQLite + in-memory)
	@$(PLAIN) $(PYTEST)

.PHONY: test-servers
test-servers: $(VENV)/.dev $(VENV)/.mysql ## The MariaDB + Redis half only; the servers must be installed
	@$(call heading,Tests on MariaDB + Redis)
	@$(PLAIN) $(BIN)/python tests/with_servers.py $(PYTEST)

.PHONY: chaos
chaos: $(VENV)/.dev ## Break things while clients talk: SEED=1 PROFILE=cluster|embedded SECONDS= FAULTS=
	@sh tests/install_servers.sh chaos || true # a run says what it does without
	@[ "$(PROFILE)" = embedded ] || $(MAKE) --no-print-directory $(VENV)/.mysql
	@$(PLAIN) $(BIN)/python -m chaos --seed $(or $(SEED),1) --profile $(or $(PROFILE),cluster) \
		$(if $(SECONDS),--seconds $(SECONDS)) $(if $(FAULTS),--faults "$(FAULTS)")
	@echo "Report and picture: chaos-report/"

.PHONY: bench
bench: $(VENV)/.dev ## Measure beside baselines, eight minutes, into docs/benchmarks: QUICK=1 CASES=fanout,rest
	@sh tests/install_servers.sh && $(MAKE) --no-print-directory $(VENV)/.mysql
	@$(PLAIN) $(BIN)/python -m bench $(if $(QUICK),--quick) $(if $(CASES),--cases $(CASES))

.PHONY: fuzz
fuzz: $(VENV)/.dev ## Ask the API what its document allows, and what not, on both databases: EXAMPLES=20 SEED=1
	@$(call heading,Fuzz on SQLite + in-memory)
	@$(PLAIN) nice $(BIN)/python -m tests.fuzz --examples $(or $(EXAMPLES),20) --seed $(or $(SEED),1)
	@sh tests/install_servers.sh && $(MAKE) --no-print-directory $(VENV)/.mysql
	@$(call heading,Fuzz on MariaDB + Redis)
	@$(PLAIN) nice $(BIN)/python tests/with_servers.py \
		$(BIN)/python -m tests.fuzz --examples $(or $(EXAMPLES),20) --seed $(or $(SEED),1)

## Change it

.PHONY: lint
lint: $(VENV)/.dev ## Style (ruff), layers (import-linter), what is unsafe (bandit)
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(PLAIN) $(BIN)/lint-imports --no-logo
	@$(BIN)/bandit --quiet --recursive --configfile pyproject.toml .

.PHONY: fmt
fmt: $(VENV)/.dev ## Format the code and repair what ruff can
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

.PHONY: typecheck
typecheck: $(VENV)/.dev ## Types (mypy, strict)
	@$(PLAIN) $(BIN)/mypy .

.PHONY: swagger
swagger: $(VENV)/.base ## Write docs/openapi.yaml and docs/asyncapi.yaml; any warning is an error
	@$(PLAIN) $(MANAGE) spectacular --validate --fail-on-warn --file docs/openapi.yaml
	@$(PLAIN) $(MANAGE) asyncapi --file docs/asyncapi.yaml
	@echo "Wrote docs/openapi.yaml and docs/asyncapi.yaml"

## The database

.PHONY: migrate-up
migrate-up: setup ## Apply all migrations
	@$(MANAGE) migrate

.PHONY: migrate-down
migrate-down: setup ## Go back to a migration: APP=rooms TO=0001 (TO=zero undoes them all)
	@test -n "$(APP)" && test -n "$(TO)" || \
		{ echo "Say which: make migrate-down APP=rooms TO=0001"; $(MANAGE) showmigrations $(APP); exit 2; }
	@$(MANAGE) migrate $(APP) $(TO)

.PHONY: migration
migration: setup ## Write the migrations that the models need: APP=rooms NAME=add_topic (both optional)
	@$(MANAGE) makemigrations $(APP) $(if $(NAME),--name $(NAME))

.PHONY: seed
seed: setup ## Fill the database with demo data. RESET=1 deletes everything first
	@$(MANAGE) migrate -v 0
	@$(MANAGE) seed $(if $(RESET),--reset)

## Ship it

.PHONY: build
build: ## Build the Docker image: IMAGE=chat
	@command -v docker >/dev/null || { echo "Docker isn't installed: https://docs.docker.com/engine/install/"; exit 1; }
	docker build --tag $(IMAGE) .

.PHONY: lock
lock: $(VENV)/.created ## Write all lock files from requirements/*.in. UPGRADE=1 takes newer versions
	@PATH="$$PWD/$(BIN):$$PATH"; \
		command -v uv >/dev/null || $(BIN)/pip install --quiet uv; \
		UPGRADE=$(UPGRADE) sh requirements/lock.sh

.PHONY: clean
clean: ## Remove what can be made again: .venv, caches, collected static files. Data and .env stay
	rm -rf $(VENV) staticfiles .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis .schemathesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
