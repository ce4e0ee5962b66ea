#!/usr/bin/env bash
# Holds the simulator of GitHub, and what the product asks it, against GitHub's own OpenAPI
# description and GraphQL schema: installs both from npm, once, lets the tests record what
# is asked and answered, and checks the recordings.
#
# Arguments are the packages whose tests record; without any, those that import the simulator.
# With -json before them, the events of go test go to standard output and all else to standard
# error.
set -euo pipefail
cd "$(dirname "$0")/.."

json=()
if [[ ${1-} == -json ]]; then
	json=(-json)
	shift
fi

openapi=23.0.2
graphql=15.26.1

cache=${XDG_CACHE_HOME:-$HOME/.cache}/wormsweep-schemas-$openapi-$graphql
if [[ ! -d $cache/node_modules ]]; then
	mkdir -p "$(dirname "$cache")"
	staging=$(mktemp -d "$cache.XXXXXX")
	npm install --prefix "$staging" --no-save --ignore-scripts --no-audit --no-fund --silent \
		"@octokit/openapi@$openapi" "@octokit/graphql-schema@$graphql" >&2
	mv -T "$staging" "$cache" 2>/dev/null || rm -rf "$staging" # another run was first
fi

recordings=$(mktemp -d)
trap 'rm -rf "$recordings"' EXIT
if [[ $# == 0 ]]; then
	mapfile -t packages < <(go list -f '{{range .XTestImports}}{{.}} {{end}}{{range .TestImports}}{{.}} {{end}}{{.ImportPath}}' ./... |
		awk '/internal\/githubtest / { print $NF }')
	set -- "${packages[@]}"
fi
go run ./internal/githubtest/ghsim -routes >"$recordings/routes"
# What a failing test recorded is checked all the same.
failed=0
GITHUBTEST_RECORD=$recordings go test "${json[@]}" -short -count=1 "$@" || failed=$?
# Bodies of webhooks, made of the description, are read as what they are.
SCHEMATEST_NPM=$cache/node_modules go test "${json[@]}" -count=1 -run '^TestSchema$' ./internal/appevent || failed=$?

cd internal/githubtest/schematest
go mod tidy -diff
go vet ./...
SCHEMATEST_NPM=$cache/node_modules SCHEMATEST_RECORDINGS=$recordings go test "${json[@]}" -count=1 ./...
exit $failed
