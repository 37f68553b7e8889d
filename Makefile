# Chargewatch. `make help` lists the targets; everything they need beside Go,
# Node, npm and make they install, or say how to get.

SHELL      := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := build

VERSION    ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LDFLAGS    := -s -w -X github.com/chargewatch/chargewatch/internal/app.version=$(VERSION)
GO_FILES   := $(shell find cmd internal ui -name '*.go' -not -path '*/node_modules/*') go.mod go.sum
UI_FILES   := $(shell find ui/src ui/public ui/index.html ui/*.ts ui/*.json -type f 2>/dev/null)
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.7.0
ARGS       ?=

.PHONY: help build run demo dev test test-go test-race test-ui lint e2e bench fuzz gen clean

help: ## list the targets
	@awk -F':.*## ' '/^[a-z0-9-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

build: bin/chargewatch ## build bin/chargewatch with the web interface in it

bin/chargewatch: $(GO_FILES) ui/dist/index.html
	go build -ldflags '$(LDFLAGS)' -o $@ ./cmd/chargewatch

# The first build compiles Go beside npm's download, which leaves a core idle.
ui/node_modules/.installed: ui/package-lock.json
	go build ./internal/... & compile=$$!; (cd ui && npm ci --no-audit --no-fund --loglevel=error); wait $$compile
	@touch $@

ui/dist/index.html: ui/node_modules/.installed $(UI_FILES)
	cd ui && npm run --silent build
	@touch $@

run: build ## run the server; flags in ARGS="..."
	bin/chargewatch serve $(ARGS)

demo: build ## run the server with a simulated network; flags in ARGS="..."
	bin/chargewatch demo $(ARGS)

dev: ui/node_modules/.installed ## server and web interface with hot reload
	scripts/dev

gen: ## make what is generated: message tables, OpenAPI, its types
	scripts/gen

# What is fetched comes side by side and beside the first build, then one target
# after the other: each fills all cores.
test: ## every test
	@$(MAKE) --no-print-directory -j5 fetch build
	@$(MAKE) --no-print-directory -j1 lint test-go test-race test-ui e2e

.PHONY: fetch programs peers
fetch: programs peers ui/node_modules/.installed test/schemas/node_modules/.installed test/e2e/node_modules/.installed
programs:
	scripts/need mosquitto ffmpeg chromium

# Implementations by others, in modules of their own: tests build them, the
# product does not depend on them.
peers:
	cd test/peers/uhppote && go mod download

lint: test/schemas/node_modules/.installed ui/node_modules/.installed ## formatting, vet, staticcheck, type check
	@test -z "$$(gofmt -l cmd internal test ui/*.go | tee /dev/stderr)" || { echo 'gofmt: the files above are not formatted'; exit 1; }
	go vet ./...
	go run $(STATICCHECK) ./...
	cd ui && npm run --silent lint && npm run --silent typecheck

# The packages in which goroutines share state. They are tested with the race
# detector only, which sees all that a run without it sees.
RACE := ./internal/journal/... ./internal/source/... ./internal/web/... ./internal/outbox/... ./internal/notify/... ./internal/telemetry/... ./internal/frames/... ./internal/live/... ./internal/servertest/...

# SQLite translated from C has no goroutines of its own and guards itself by the
# locks of libc, which the detector sees; watching each of its accesses, and those
# of its allocator, takes more time than all else, and so does asking of each of
# their pointers where it came from. No more may be left out of the detector: what
# instantiates generics of sync is linked in place of ours.
UNWATCHED := -gcflags=modernc.org/sqlite/lib='-race=false -d=checkptr=0' -gcflags=modernc.org/memory='-race=false -d=checkptr=0' -gcflags=modernc.org/libc=-d=checkptr=0

# Lint has done all that go test would vet.
test-go: test/schemas/node_modules/.installed bin/chargewatch ## Go tests, but for those of test-race
	scripts/need mosquitto ffmpeg
	go test -vet=off $$(comm -23 <(go list ./... | sort) <(go list $(RACE) | sort))

test-race: test/schemas/node_modules/.installed ## Go tests where goroutines share state, with the race detector
	scripts/need mosquitto ffmpeg
	go test -vet=off -timeout 20m -race $(UNWATCHED) $(RACE)

test-ui: ui/node_modules/.installed ui/dist/index.html ## unit tests and size budget of the web interface
	cd ui && npm test --silent && npm run --silent budget

test/schemas/node_modules/.installed: test/schemas/package-lock.json
	cd test/schemas && npm ci --no-audit --no-fund --loglevel=error
	@touch $@

test/e2e/node_modules/.installed: test/e2e/package-lock.json
	cd test/e2e && npm ci --no-audit --no-fund --loglevel=error
	@touch $@

e2e: build test/e2e/node_modules/.installed ## browser tests
	scripts/need chromium ffmpeg
	cd test/e2e && npm test --silent

bench: build ## benchmarks beside the peers; results under test/load/results
	test/load/run $(ARGS)

FUZZTIME ?= 10s
fuzz: ## fuzz every decoder for FUZZTIME
	scripts/fuzz $(FUZZTIME)

clean: ## remove what was built
	rm -rf bin ui/node_modules test/e2e/node_modules test/schemas/node_modules
	find ui/dist -mindepth 1 ! -name .gitkeep -delete
