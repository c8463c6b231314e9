# Everything that a person does with this repository. `make demo` and `make test` set up whatever is missing.
PYTHON ?= python3.11
VENV   := .venv
BIN    := $(VENV)/bin
UV     := uv==0.13.8
, := ,

.DEFAULT_GOAL := help
.PHONY: help setup demo serve figures gallery test test-all test-avx2 lint apilint format bench bench-load bench-fleet lock sbom version release release-image release-chart clean

help:  ## this list
	@grep -hE '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*##/\t/' | expand -t 12

$(VENV)/.installed: requirements/dev.txt
	@sh scripts/venv.sh "$(PYTHON)" "$(VENV)"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check "$(UV)"
	$(BIN)/uv pip sync --quiet --python $(BIN)/python --require-hashes requirements/dev.txt
	@touch $@

weights/vgg16.safetensors: | $(VENV)/.installed
	$(BIN)/python -m service weights vgg16

setup: $(VENV)/.installed weights/vgg16.safetensors  ## virtual environment and VGG-16 weights

serve demo: export STYLIZE_STYLES_DIR ?= examples/styles

demo: setup  ## serve, POST an example photograph and painting, write out/demo.png and out/demo-sheet.png
	$(BIN)/python -m examples.demo

serve: setup  ## run the service on http://127.0.0.1:8080
	$(BIN)/python -m service serve

figures: setup  ## the paper's Figures 1 to 3 through the service, as sheets and a table in out/figures (FROM=FOLDER: of other pictures)
	$(BIN)/python -m examples.figures $(if $(FROM),--from $(FROM))

gallery: setup  ## the pictures of docs/develop/gallery.md, again
	$(BIN)/python -m examples.gallery

# A worker for each CPU (tests/conftest.py), which takes whole files: their tests share servers and networks.
PYTEST := $(BIN)/python -m pytest -n logical --dist loadfile --no-loadscope-reorder --durations=25
PAINTING := tests/style tests/figures tests/weights tests/model/test_painting.py tests/model/test_warm_up.py tests/cli/test_commands.py

test: setup  ## the tests that a change can break: nearly all, in some minutes
	$(PYTEST) -m "not slow"

test-all: setup  ## all tests
	$(PYTEST)

test-avx2: export ATEN_CPU_CAPABILITY := avx2
test-avx2: export ONEDNN_MAX_CPU_ISA := AVX2
test-avx2: export MKL_ENABLE_INSTRUCTIONS := AVX2
test-avx2: export STYLIZE_PRECISION := fp32
test-avx2: setup  ## what paints, as on a CPU without AVX-512 and bfloat16 (TESTS=tests: everything)
	$(PYTEST) -m "not slow" $(or $(TESTS),$(PAINTING))

lint: $(VENV)/.installed  ## ruff, mypy --strict, import-linter, hadolint
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/hadolint Dockerfile

apilint:  ## redocly on openapi.yaml, strict; needs Node.js, which `make setup` does not bring
	npx --yes @redocly/cli@2.77.0 lint openapi.yaml --extends=recommended-strict

format: $(VENV)/.installed  ## rewrite the code in the house style
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: setup  ## the transfer against plain Gatys, an evaluation against its convolutions, budgets: tables, plots, sheets under out/
	$(BIN)/python -m benchmarks evaluation
	$(BIN)/python -m benchmarks budgets
	$(BIN)/python -m benchmarks quality --adam

bench-load: setup  ## overload, killed and slow clients, restarts, memory that runs out: tables (PROXY=PATH of haproxy or nginx)
	$(BIN)/python -m benchmarks load
	$(BIN)/python -m benchmarks faults
	$(BIN)/python -m benchmarks slow
	$(BIN)/python -m benchmarks attack
	$(BIN)/python -m benchmarks flood
	$(BIN)/python -m benchmarks restart --proxy $(or $(PROXY),haproxy)
	$(BIN)/python -m benchmarks soak

bench-fleet: $(VENV)/.installed  ## a fleet on paper: latency, refusals and cost of pods that KEDA scales, in some 5 minutes
	$(BIN)/python -m benchmarks fleet

lock: $(VENV)/.installed  ## pin the newest versions that pyproject.toml allows
	$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes \
	    --no-emit-index-url --custom-compile-command "make lock" pyproject.toml -o requirements/runtime.txt
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes -c requirements/runtime.txt \
	    --no-emit-index-url --custom-compile-command "make lock" --group dev pyproject.toml -o requirements/dev.txt
	for extra in heic otel; do \
	    $(BIN)/python -m scripts.extra $$extra | $(BIN)/uv pip compile --quiet --universal --python-version 3.11 \
	        --generate-hashes -c requirements/runtime.txt -c requirements/dev.txt --no-emit-index-url \
	        --custom-compile-command "make lock" - -o requirements/$$extra.txt || exit 1; \
	done

sbom: $(VENV)/.installed  ## what is in the image, as CycloneDX: out/sbom.json (DPKG=FILE: the image's /var/lib/dpkg/status)
	$(BIN)/python -m scripts.sbom $(if $(DPKG),--dpkg $(DPKG))

# The base by digest: what its name means today, where docker can ask its registry.
BASE      ?= python:3.11-slim-bookworm
PINNED     = $(BASE)@$$(docker buildx imagetools inspect --format '{{json .Manifest.Digest}}' $(BASE) | tr -d '"')
VERSION    = $$($(BIN)/python -c "import service; print(service.__version__)")
IMAGE     ?= localhost/stylize
PLATFORMS ?= linux/amd64,linux/arm64

version: $(VENV)/.installed  ## the version of the package
	@echo $(VERSION)

release: sbom  ## what a release publishes but the image, in out/release: chart, bill of materials, checksums (SOURCE=https://HOST/OWNER/NAME)
	rm -rf out/release out/chart && mkdir -p out/release out/chart
	cp -r helm/stylize out/chart
	$(if $(SOURCE),$(BIN)/python -m scripts.chart out/chart/stylize $(SOURCE))
	$$($(BIN)/python scripts/helm.py 4) package out/chart/stylize -d out/release
	$(BIN)/python -m scripts.oci out/release/stylize-$(VERSION).tgz out/release/stylize-chart-$(VERSION).oci.tar
	cp out/sbom.json out/release/
	cd out/release && sha256sum * > SHA256SUMS

release-image: $(VENV)/.installed  ## the image for both architectures, with provenance and SBOM, as out/stylize.oci.tar (IMAGE=NAME PUSH=1: to its registry)
	docker buildx build --platform $(PLATFORMS) --provenance=mode=max --sbom=true \
	    --build-arg BASE=$(PINNED) --build-arg VERSION=$(VERSION) --build-arg REVISION=$$(git rev-parse HEAD) \
	    --tag $(IMAGE):$(VERSION) $(if $(PUSH),--push,--output type=oci$(,)dest=out/stylize.oci.tar) .

release-chart: release  ## push the chart (CHARTS=oci://REGISTRY/PATH)
	$$($(BIN)/python scripts/helm.py 4) push out/release/stylize-$(VERSION).tgz $(CHARTS)

clean:  ## remove what was built, but not the weights
	rm -rf $(VENV) out .mypy_cache .pytest_cache .ruff_cache
