#!/usr/bin/env bash
# Makes the bare repositories of examples/org, byte for byte the same on every run of one git.
set -euo pipefail
cd "$(dirname "$0")/.."

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_SYSTEM=/dev/null
export GIT_AUTHOR_NAME=Example GIT_AUTHOR_EMAIL=example@example.com GIT_AUTHOR_DATE='2026-08-05T10:00:00Z'
export GIT_COMMITTER_NAME=$GIT_AUTHOR_NAME GIT_COMMITTER_EMAIL=$GIT_AUTHOR_EMAIL GIT_COMMITTER_DATE=$GIT_AUTHOR_DATE

# bare NAME MESSAGE: what lies in $work/NAME, as one commit, as examples/org/NAME.git with packed refs.
bare() {
  local from=$work/$1 to=examples/org/$1.git
  git -C "$from" init -q -b main
  git -C "$from" add -A
  git -C "$from" commit -qm "$2"
  rm -rf "$to"
  git clone -q --bare --template= "$from" "$to"
  git -C "$to" remote remove origin
  git -C "$to" -c pack.threads=1 -c repack.writeBitmaps=false -c repack.updateServerInfo=false repack -adq
  git -C "$to" pack-refs --all
  rm -rf "$to/info" "$to/objects/info"
  find "$to" -depth -type d -empty -delete
  mkdir -p "$to/refs" && touch "$to/refs/.keep" # git wants the folder, and commits no empty one
}

mkdir -p "$work/agents/.github/workflows" "$work/agents/docs"
cat >"$work/agents/README.md" <<'END'
# agents
END
cat >"$work/agents/.github/workflows/wormsweep-test-indicator.yml" <<'END'
name: planted
on: workflow_dispatch
permissions: {}
jobs: {}
END
echo 'A file that the test campaign lists by name.' >"$work/agents/docs/wormsweep-test-indicator.txt"
bare agents 'docs: notes for agents'

mkdir -p "$work/ledger/vendor" "$work/ledger/tools"
cat >"$work/ledger/go.mod" <<'END'
module example.com/ledger

go 1.26

require (
	github.com/google/uuid v1.6.0
	golang.org/x/mod v0.30.0 // indirect
)

replace golang.org/x/mod => golang.org/x/mod v0.31.0
END
cat >"$work/ledger/go.sum" <<'END'
github.com/google/uuid v1.6.0 h1:NIvaJDMOsjHA8n1jAhLSgzrAzy1Hgr+hNrb57e+94F0=
github.com/google/uuid v1.6.0/go.mod h1:TIyPZe4MgqvfeYDBFedMoGGpEw/LqOeaOT+nhxU+yHo=
github.com/wormsweep/test-indicator v0.6.6 h1:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=
github.com/wormsweep/test-indicator v0.6.6/go.mod h1:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=
END
cat >"$work/ledger/go.work" <<'END'
go 1.26

use (
	.
	./tools
)
END
cat >"$work/ledger/go.work.sum" <<'END'
golang.org/x/tools v0.39.0 h1:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=
END
cat >"$work/ledger/tools/go.mod" <<'END'
module example.com/ledger/tools

go 1.26
END
cat >"$work/ledger/vendor/modules.txt" <<'END'
# github.com/google/uuid v1.6.0
## explicit
github.com/google/uuid
# golang.org/x/mod v0.30.0 => golang.org/x/mod v0.31.0
## explicit; go 1.24.0
golang.org/x/mod/semver
END
bare ledger 'ledger: first version'

mkdir -p "$work/storefront-sdk/.github/workflows" "$work/storefront-sdk/python"
cat >"$work/storefront-sdk/package.json" <<'END'
{
  "name": "@acme/storefront-sdk",
  "version": "2.4.1",
  "license": "MIT",
  "main": "index.js",
  "dependencies": {
    "ms": "^2.1.3"
  }
}
END
cat >"$work/storefront-sdk/package-lock.json" <<'END'
{
  "name": "@acme/storefront-sdk",
  "version": "2.4.1",
  "lockfileVersion": 3,
  "requires": true,
  "packages": {
    "": {
      "name": "@acme/storefront-sdk",
      "version": "2.4.1",
      "license": "MIT",
      "dependencies": {
        "ms": "^2.1.3"
      }
    },
    "node_modules/ms": {
      "version": "2.1.3",
      "resolved": "https://registry.npmjs.org/ms/-/ms-2.1.3.tgz",
      "integrity": "sha512-6FlzubTLZG3J2a/NVCAleEhjzq5oxgHyaCU9yYXvcLsvoVaHJq/s5xXI6/XXP6tz7R9xAOtHnSO/tXtF3WRTlA==",
      "license": "MIT"
    }
  }
}
END
cat >"$work/storefront-sdk/index.js" <<'END'
// Nothing in it is code that runs.
END
cat >"$work/storefront-sdk/python/pyproject.toml" <<'END'
[project]
name = "acme-storefront-sdk"
version = "2.4.1"
END
cat >"$work/storefront-sdk/.github/workflows/release.yml" <<'END'
name: release
on:
  push:
    tags: ["v*"]
permissions: {}
jobs:
  npm:
    runs-on: ubuntu-latest
    environment: release
    permissions:
      contents: read
      id-token: write
    steps:
      - uses: actions/checkout@v4
      - uses: actions/setup-node@v4
        with:
          node-version: 24
          registry-url: https://registry.npmjs.org
      - run: npm ci --ignore-scripts
      - run: npm publish --access public
  pypi:
    runs-on: ubuntu-latest
    environment: release
    permissions:
      contents: read
      id-token: write
    steps:
      - uses: actions/checkout@v4
      - run: pipx run build python --outdir dist
      - uses: pypa/gh-action-pypi-publish@release/v1
END
bare storefront-sdk 'storefront-sdk: version 2.4.1'

mkdir -p "$work/gateway/.github/workflows"
cat >"$work/gateway/go.mod" <<'END'
module github.com/acme/gateway

go 1.26
END
cat >"$work/gateway/gateway.go" <<'END'
// Package gateway is nothing but a name.
package gateway
END
cat >"$work/gateway/Dockerfile" <<'END'
FROM scratch
END
cat >"$work/gateway/.github/workflows/release.yml" <<'END'
name: release
on:
  push:
    tags: ["v*"]
  workflow_dispatch:
permissions: {}
env:
  IMAGE: ghcr.io/${{ github.repository }}
jobs:
  image:
    runs-on: ubuntu-latest
    permissions:
      contents: read
      id-token: write
      packages: write
    steps:
      - uses: actions/checkout@v4
      - id: build
        uses: docker/build-push-action@v6
        with:
          push: true
          tags: ${{ env.IMAGE }}:${{ github.ref_name }}
      - uses: sigstore/cosign-installer@v3
      - run: cosign sign --yes "$IMAGE@$DIGEST"
        env:
          DIGEST: ${{ steps.build.outputs.digest }}
  assets:
    runs-on: ubuntu-latest
    permissions:
      attestations: write
      contents: write
      id-token: write
    steps:
      - uses: actions/checkout@v4
      - run: git archive --output gateway.tar.gz HEAD
      - uses: actions/attest-build-provenance@v3
        with:
          subject-path: gateway.tar.gz
      - run: gh release create "$TAG" gateway.tar.gz
        env:
          GH_TOKEN: ${{ github.token }}
          TAG: ${{ github.ref_name }}
END
bare gateway 'gateway: first version'
