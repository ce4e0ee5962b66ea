#!/usr/bin/env bash
# Runs the sweeper against a GitHub and a Slack that nobody of this project wrote: the npm
# package emulate, on loopback. Installs it from npm, once, with the node that it needs, and
# runs the tests that start and stop it. What npm brings runs no script of its own while it is
# installed.
#
# Arguments go to go test: -json, -run NAME.
set -euo pipefail
cd "$(dirname "$0")/.."

emulate=0.12.2
node=24.21.0 # of the packages that the npm package "node" of this version brings

case $(uname -sm) in
"Linux x86_64") platform=linux-x64 ;;
"Linux aarch64") platform=linux-arm64 ;;
*)
	echo "e2e: no node of npm for $(uname -sm)" >&2
	exit 1
	;;
esac

cache=${XDG_CACHE_HOME:-$HOME/.cache}/wormsweep-emulate-$emulate-$node
if [[ ! -d $cache/node_modules ]]; then
	mkdir -p "$(dirname "$cache")"
	staging=$(mktemp -d "$cache.XXXXXX")
	npm install --prefix "$staging" --no-save --ignore-scripts --no-audit --no-fund --silent \
		"emulate@$emulate" "node-$platform@$node" >&2
	mv -T "$staging" "$cache" 2>/dev/null || rm -rf "$staging" # another run was first
fi
E2E_NODE=$cache/node_modules/node-$platform/bin/node E2E_EMULATE=$cache \
	go test -tags e2e -count=1 -run '^TestEmulated' "$@" ./cmd/sweeper ./cmd/app
