#!/usr/bin/env bash
# What action.yml runs: a sweep by the inputs of the action, which stand in the environment, and
# with a policy the verification of what was published.
# Usage: action.sh SWEEPER
#
# Secrets stay in the environment, WORMSWEEP_INVENTORY too: it may be the URL of a database.
# The exit code of the sweep is the step's, unless the input "fail" is "false".
set -uo pipefail
sweeper=$1

folder=${INPUT_FOLDER:-${RUNNER_TEMP:-.}/wormsweep/reports}
mkdir -p "$folder" || exit 3
rm -f "$folder"/sweep.{jsonl,sarif,txt,md} "$folder"/verify.jsonl # of an earlier run, which are not the answer of this one
policy=${INPUT_POLICY-}

args=(--format text
	--report "json=$folder/sweep.jsonl" --report "sarif=$folder/sweep.sarif" --report "markdown=$folder/sweep.md")

# flag NAME VALUE: adds a flag that has a value.
flag() {
	if [[ -n ${2-} ]]; then
		args+=("$1=$2")
	fi
}

# each NAME VALUES: adds a flag for each line of VALUES, or with "words" for each word.
each() {
	local name=$1 values=$2 value
	if [[ ${3-} == words ]]; then
		values=${values//[[:space:]]/$'\n'}
	fi
	while IFS= read -r value; do
		flag "$name" "$value"
	done <<<"$values"
}

flag --org "${INPUT_ORGANISATION-}"
each --repo "${INPUT_REPOSITORIES-}" words
if [[ -n ${INPUT_ORGANISATION-}${INPUT_REPOSITORIES-} ]]; then
	flag --refs "${INPUT_REFS-}"
	flag --shard "${INPUT_SHARD-}"
	flag --max-api-requests "${INPUT_MAX_API_REQUESTS-}"
	flag --github-url "${INPUT_GITHUB_URL-}"
fi
each --campaign "${INPUT_CAMPAIGN-}" words
each --ioc "${INPUT_IOC-}"
flag --exclusions "${INPUT_EXCLUSIONS-}"
flag --fail-on "${INPUT_FAIL_ON-}"
issues=()
if [[ -n ${INPUT_ISSUES-} ]]; then
	issues+=("--issues=$INPUT_ISSUES")
fi
if [[ ${INPUT_DRY_RUN-} == true ]]; then
	issues+=(--dry-run)
fi
if [[ -z $policy ]]; then # with one, what is filed is filed of both together
	args+=("${issues[@]}")
fi
args+=(--)
while IFS= read -r path; do
	if [[ -n $path ]]; then
		args+=("$path")
	fi
done <<<"${INPUT_PATHS-}"

# The runner obeys lines of a log, and names from repositories stand in this one.
quiet=
if [[ ${GITHUB_ACTIONS-} == true ]]; then
	quiet=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
	echo "::stop-commands::$quiet"
fi

# verify verifies what the policy names, and renders the answer of both. A stream that is not whole
# makes it a problem, so that nothing is good which was not looked at.
verify() {
	local flags=(--policy "$policy" --format text --report "json=$folder/verify.jsonl") joined=()
	if [[ -n ${INPUT_EXCLUSIONS-} ]]; then
		flags+=("--exclusions=$INPUT_EXCLUSIONS")
	fi
	if [[ -n ${INPUT_GITHUB_URL-} ]]; then
		flags+=("--github-url=$INPUT_GITHUB_URL")
		joined+=("--github-url=$INPUT_GITHUB_URL")
	fi
	if [[ -n ${INPUT_TRUSTED_ROOT-} ]]; then
		flags+=("--trusted-root=$INPUT_TRUSTED_ROOT")
	fi
	while IFS= read -r list; do
		if [[ -n $list ]]; then
			flags+=("--ioc=$list")
			joined+=("--ioc=$list")
		fi
	done <<<"${INPUT_IOC-}"
	"$sweeper" verify published "${flags[@]}"
	local verified=$?
	if ((verified == 2)); then
		return 2
	fi
	touch "$folder/verify.jsonl"
	if [[ -n ${INPUT_ISSUES-} && -n ${INPUT_ORGANISATION-} ]]; then
		joined+=("--org=$INPUT_ORGANISATION")
	fi
	mv "$folder/sweep.jsonl" "$folder/swept.jsonl"
	"$sweeper" report --report "json=$folder/sweep.jsonl" --report "sarif=$folder/sweep.sarif" --report "markdown=$folder/sweep.md" \
		"${joined[@]}" "${issues[@]}" -- "$folder/swept.jsonl" "$folder/verify.jsonl" >"$folder/sweep.txt"
	local code=$?
	rm -f "$folder/swept.jsonl"
	return "$code"
}

"$sweeper" sweep "${args[@]}" | tee "$folder/sweep.txt"
code=${PIPESTATUS[0]}
if [[ -n $policy && $code != 2 ]]; then
	verify
	code=$?
fi
if [[ -n $quiet ]]; then
	echo "::$quiet::"
fi

if [[ -n ${GITHUB_STEP_SUMMARY-} && ${INPUT_SUMMARY-} != false && -s $folder/sweep.md ]]; then
	cat "$folder/sweep.md" >>"$GITHUB_STEP_SUMMARY"
fi
if [[ -n ${GITHUB_OUTPUT-} ]]; then
	printf 'exit-code=%s\nfolder=%s\n' "$code" "$folder" >>"$GITHUB_OUTPUT"
fi
if [[ ${INPUT_FAIL-} == false && $code != 2 ]]; then
	exit 0
fi
exit "$code"
