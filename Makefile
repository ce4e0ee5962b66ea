# make test      the quick part, a few minutes: Go, git and make alone
# make check     installs what the rest needs, then runs everything; CI calls it
# make sweep     sweeps this repository, as committed, with the sweeper that it builds
# make bench     prints the figures of docs/performance.md; make bench-github those of sweeps
#                of a simulated organisation, in a quarter of an hour; make bench-verify
#                those of verification, in a few minutes; make bench-app those of the App, in
#                half an hour; make soak what two hours of load do to it
# make chaos     kills, stops and starves the App, its database and its GitHub for a quarter of an hour,
#                and proves that nothing was lost or done twice; SEED=N does it again
# make schema    holds the simulator of GitHub against GitHub's own descriptions; needs npm
# make e2e       runs the sweeper and the App against a GitHub and a Slack that others wrote; needs npm
# make verify-real
#                reads registries that others wrote; needs npm
# make small-disks
#                as root, what make check skips of another user: the tests that mount a disk and fill it
# make fixtures  rewrites the lockfiles that package managers write themselves, and the
#                repositories of examples/org
#
# Tests find the data that is too large to commit in WORMSWEEP_TESTDATA.

SHELL := /bin/bash
TOOL  := go tool -modfile=tools/go.mod

ifeq ($(WORMSWEEP_TESTDATA),)
ifneq ($(wildcard ../shared),)
export WORMSWEEP_TESTDATA := $(abspath ../shared)
endif
endif

.PHONY: test check sweep bench bench-github bench-verify bench-app soak chaos fixtures schema e2e verify-real small-disks lint lint-bench lint-scripts fuzz needs

test: lint fuzz
	go run ./internal/ci/tally -- go test -json -parallel 4 ./...

# The race detector runs where goroutines meet. What renders, reads a format or files an incident
# starts none, and is called by what does; other processes are not seen by it.
RACE := ./cmd/... ./internal/app/... ./internal/appdb ./internal/groupcommit ./internal/hook ./internal/jobs \
	./internal/journal ./internal/cli/... ./internal/ci/... ./internal/exclusion/... ./internal/feeds/... \
	./internal/exposure ./internal/ghclient/... ./internal/ghread ./internal/githubtest/... ./internal/incident/folder \
	./internal/incident/githubissues ./internal/incident/slack ./internal/lookup/... ./internal/match/... \
	./internal/source/... ./internal/store/... ./internal/sweep/... \
	./internal/xtest/... ./iocs ./pkg/ioc ./pkg/registry/fetch

check: needs lint lint-bench lint-scripts fuzz sweep
	go run ./internal/ci/tally \
		-- go test -json -parallel 4 ./... \
		-- go test -json -race -short -parallel 4 $(RACE) \
		-- go test -json -tags chaos -parallel 8 -run '^TestChaos$$' ./internal/chaos \
		-- scripts/schema-check.sh -json \
		-- go test -json -tags build -run '^TestBuild$$' ./cmd/app \
		-- scripts/e2e.sh -json \
		-- scripts/verify-real.sh -json

# The tools print what is wrong; gofumpt alone does not say so with its exit code.
lint:
	go mod tidy -diff
	go -C tools mod tidy -diff
	@unformatted=$$($(TOOL) gofumpt -l .) || exit; \
		if [ -n "$$unformatted" ]; then echo "gofumpt -l:"; echo "$$unformatted"; exit 1; fi
	go vet ./...
	go vet -tags e2e,build ./cmd/sweeper ./cmd/app
	go vet -tags chaos ./internal/app ./internal/chaos
	go vet -tags verdaccio,network ./pkg/registry/npm ./internal/verify/bundle ./internal/verify/gomodule
	$(TOOL) staticcheck ./...
	$(TOOL) staticcheck -tags e2e,build ./cmd/sweeper ./cmd/app
	$(TOOL) staticcheck -tags chaos ./internal/app ./internal/chaos
	$(TOOL) staticcheck -tags verdaccio,network ./pkg/registry/npm ./internal/verify/bundle ./internal/verify/gomodule
	$(TOOL) actionlint

lint-bench:
	go -C bench mod tidy -diff
	go -C bench vet ./...

lint-scripts:
	shellcheck .ci/run .ci/needs scripts/*.sh

fuzz:
	go run ./internal/ci/fuzz -total 30s ./...

needs:
	.ci/needs

# A clone is swept: what is committed, under a name that does not hang on the checkout's.
sweep:
	@scratch=$$(mktemp -d) && trap 'rm -rf "$$scratch"' EXIT && \
		git clone --quiet . "$$scratch/wormsweep" && \
		go build -o "$$scratch/sweeper" ./cmd/sweeper && \
		"$$scratch/sweeper" sweep --exclusions .wormsweep/exclusions.yaml "$$scratch/wormsweep"

bench:
	go run ./internal/ci/figures

bench-github:
	go run ./internal/ci/figures github

bench-verify:
	go run ./internal/ci/figures verify

bench-app:
	go run ./internal/ci/figures app

soak:
	go run ./internal/ci/figures soak

chaos:
	go test -v -tags chaos -timeout 90m -parallel 6 -run '^(TestChaos|TestSkewedProgram)$$' ./internal/chaos -args -long $(if $(SEED),-seed $(SEED))

schema:
	scripts/schema-check.sh

e2e:
	scripts/e2e.sh

verify-real:
	scripts/verify-real.sh

small-disks:
	go run ./internal/ci/tally \
		-- go test -json -count=1 -run '^(TestFullDisk|TestGitHubPageTroubles)$$' ./internal/store ./cmd/sweeper \
		-- go test -json -count=1 -tags chaos -run '^TestChaos$$/^full-disk$$' ./internal/chaos

fixtures:
	scripts/make-npm-fixtures.sh
	scripts/make-yarn-pnpm-fixtures.sh
	scripts/make-example-repositories.sh
