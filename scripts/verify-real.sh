#!/usr/bin/env bash
# Runs the readers of registries against registries that nobody of this project wrote: verdaccio,
# which is installed from npm, once, and runs on loopback while a test does; and, where
# WORMSWEEP_NETWORK is 1, the public npm registry by npm's own settings, and the Go module proxy and
# the checksum database by those of go. What npm brings runs no script of its own while it is
# installed. Without npm the tests say so: they are skipped, and fail in CI.
#
# Arguments go to go test: -json, -run NAME.
set -euo pipefail
cd "$(dirname "$0")/.."

verdaccio=6.8.0
node_fetch=2.6.7 # it wants a tag of node-fetch that not every registry serves

tags=verdaccio
if command -v npm >/dev/null && command -v node >/dev/null; then
	cache=${XDG_CACHE_HOME:-$HOME/.cache}/wormsweep-verdaccio-$verdaccio-$node_fetch
	if [[ ! -d $cache/node_modules ]]; then
		mkdir -p "$(dirname "$cache")"
		staging=$(mktemp -d "$cache.XXXXXX")
		cat >"$staging/package.json" <<-END
			{"private": true, "dependencies": {"verdaccio": "$verdaccio"}, "overrides": {"node-fetch": "$node_fetch"}}
		END
		npm install --prefix "$staging" --ignore-scripts --no-audit --no-fund --silent >&2
		mv -T "$staging" "$cache" 2>/dev/null || rm -rf "$staging" # another run was first
	fi
	export VERDACCIO=$cache
	if [[ ${WORMSWEEP_NETWORK:-} == 1 ]]; then
		tags+=,network
		WORMSWEEP_NPM_REGISTRY=$(npm config get registry)
		export WORMSWEEP_NPM_REGISTRY
	fi
fi
go test -tags "$tags" -count=1 -run '^TestReal' "$@" ./pkg/registry/npm ./internal/verify/bundle ./internal/verify/gomodule
