#!/usr/bin/env bash
# Builds the App as one static file that any Linux of the architecture runs. Two builds of one
# commit are equal, whoever makes them and wherever: cmd/app/build_test.go.
#
#   scripts/build-app.sh FILE
set -euo pipefail

if [[ $# != 1 ]]; then
	echo "build-app: want the file to write" >&2
	exit 2
fi
out=$(realpath "$1")
cd "$(dirname "$0")/.."
CGO_ENABLED=0 GOFLAGS=-mod=readonly GOWORK=off go build -trimpath -ldflags=-buildid= -o "$out" ./cmd/app
