#!/usr/bin/env bash
# Rewrites pkg/lockfile/npm/testdata/made: one small project, locked by each of the tools
# that write npm lockfiles. It has an alias, a scoped alias, a workspace with a member, a
# git pin, and dev, optional and peer dependencies.
#
# It needs node, npm and git, and installs the tools from the npm registry into a scratch
# folder. The git pin's address is made up: git is told to find it in a repository of the
# scratch folder.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
made=$PWD/pkg/lockfile/npm/testdata/made
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

pin=https://git.example.org/pin.git
export npm_config_userconfig=${npm_config_userconfig:-$HOME/.npmrc} HOME=$scratch/home
mkdir "$HOME"
git config --global "url.file://$scratch/pin.git.insteadOf" "$pin"
export npm_config_audit=false npm_config_fund=false npm_config_update_notifier=false
export npm_config_omit_lockfile_registry_resolved=false
export YARN_ENABLE_TELEMETRY=0 YARN_ENABLE_IMMUTABLE_INSTALLS=false YARN_ENABLE_GLOBAL_CACHE=false
export npm_config_store_dir=$scratch/store npm_config_cache=$scratch/cache CI=

# pinned makes the repository that the git pin leads to, with fixed ids.
pinned() {
	export GIT_AUTHOR_NAME=Test GIT_AUTHOR_EMAIL=test@example.org GIT_AUTHOR_DATE=2026-01-02T03:04:05Z
	export GIT_COMMITTER_NAME=Test GIT_COMMITTER_EMAIL=test@example.org GIT_COMMITTER_DATE=2026-01-02T03:04:05Z
	git init -q -b main "$scratch/pin"
	echo '{"name": "pin", "version": "1.2.3"}' >"$scratch/pin/package.json"
	git -C "$scratch/pin" add package.json
	git -C "$scratch/pin" commit -q -m "the pinned package"
	git clone -q --bare "$scratch/pin" "$scratch/pin.git"
}

# project writes the project into a new folder and goes there. $1 is the folder's name; $2
# is "git" where the tool can pin a git repository by an address of our own.
project() {
	mkdir -p "$scratch/$1/packages/member"
	cd "$scratch/$1"
	local git_pin=
	if [[ ${2-} == git ]]; then
		git_pin="\"pin\": \"git+$pin#main\","
	fi
	cat >package.json <<-JSON
		{
		  "name": "made",
		  "version": "1.0.0",
		  "private": true,
		  "workspaces": ["packages/*"],
		  "dependencies": {
		    "is-odd": "^3.0.1",
		    "number-alias": "npm:is-number@7.0.0",
		    $git_pin
		    "ms-types": "npm:@types/ms@0.7.31"
		  },
		  "devDependencies": {"is-even": "1.0.0"},
		  "optionalDependencies": {"@parcel/watcher-win32-arm64": "2.5.0"}
		}
	JSON
	cat >packages/member/package.json <<-'JSON'
		{
		  "name": "@made/member",
		  "version": "1.0.0",
		  "dependencies": {"is-number": "^6.0.0"},
		  "peerDependencies": {"is-buffer": "^2.0.5"}
		}
	JSON
}

# tool installs a package of the npm registry and gives the path of a program of it.
tool() {
	local at=$scratch/tools/$1
	if [[ ! -d $at ]]; then
		npm install --loglevel=error --prefix "$at" "$1" >&2
	fi
	echo "$at/node_modules/.bin/$2"
}

# keep takes a lockfile into testdata, below the name of the folder that it was made in.
keep() {
	mkdir -p "$made/$(basename "$PWD")"
	cp "$1" "$made/$(basename "$PWD")/"
}

pinned
rm -rf "$made"

npm6=$(tool npm@6.14.18 npm)
project npm-6 git
"$npm6" install --loglevel=error --package-lock-only --ignore-scripts
keep package-lock.json

npm11=$(tool npm@11 npm)
for version in 1 2 3; do
	project "npm-11-v$version" git
	"$npm11" install --loglevel=error --package-lock-only --ignore-scripts --lockfile-version "$version"
	keep package-lock.json
done
"$npm11" shrinkwrap --silent
keep npm-shrinkwrap.json
project npm-11-hidden git
"$npm11" install --loglevel=error --ignore-scripts
mkdir -p "$made/npm-11-hidden/node_modules"
cp node_modules/.package-lock.json "$made/npm-11-hidden/node_modules/"

yarn1=$(tool yarn@1.22.22 yarn)
project yarn-1 git
"$yarn1" install --loglevel=error --ignore-scripts --non-interactive
keep yarn.lock

berry=$(tool @yarnpkg/cli-dist@4 yarn)
project yarn-4 git
printf 'approvedGitRepositories: ["https://git.example.org/**"]\n' >.yarnrc.yml
"$berry" install --mode=skip-build
keep yarn.lock

for version in 7 8 9 10; do
	pnpm=$(tool "pnpm@$version" pnpm)
	project "pnpm-$version" git
	printf 'packages:\n  - packages/*\n' >pnpm-workspace.yaml
	"$pnpm" install --loglevel=error --lockfile-only --ignore-scripts
	keep pnpm-lock.yaml
done

bun=$(tool bun@1 bun)
project bun-1 git
"$bun" install --loglevel=error --save-text-lockfile --lockfile-only --ignore-scripts
keep bun.lock

deno=$(tool deno@2 deno)
project deno-2
"$deno" install --quiet --lockfile-only
keep deno.lock
