#!/usr/bin/env bash
# What the verifying job of .github/workflows/sweep.yml runs: every published version of every
# artifact of a policy, into a stream that the last job joins with those of the sweep.
# Usage: action-verify.sh SWEEPER FOLDER
#
# The exit code is 2 for wrong use and 0 otherwise: the last job gives the answer.
set -uo pipefail
sweeper=$1
folder=$2
mkdir -p "$folder" || exit 3
rm -f "$folder/verify.jsonl" # of an earlier run

args=(--policy "$INPUT_POLICY" --report "json=$folder/verify.jsonl")
if [[ -n ${INPUT_EXCLUSIONS-} ]]; then
	args+=("--exclusions=$INPUT_EXCLUSIONS")
fi
if [[ -n ${INPUT_GITHUB_URL-} ]]; then
	args+=("--github-url=$INPUT_GITHUB_URL")
fi
if [[ -n ${INPUT_TRUSTED_ROOT-} ]]; then
	args+=("--trusted-root=$INPUT_TRUSTED_ROOT")
fi
while IFS= read -r list; do
	if [[ -n $list ]]; then
		args+=("--ioc=$list")
	fi
done <<<"${INPUT_IOC-}"

# The runner obeys lines of a log, and names from registries stand in this one.
quiet=
if [[ ${GITHUB_ACTIONS-} == true ]]; then
	quiet=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
	echo "::stop-commands::$quiet"
fi
"$sweeper" verify published "${args[@]}"
code=$?
if [[ -n $quiet ]]; then
	echo "::$quiet::"
fi
if ((code == 2)); then
	exit 2
fi
