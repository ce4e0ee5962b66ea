#!/usr/bin/env bash
# What the last job of .github/workflows/sweep.yml runs: joins the streams of the shards, and that
# of the verification where there is a policy, files the incidents, and writes the job's summary
# and the reports.
# Usage: action-report.sh SWEEPER STREAMS
#
# The exit code is the sweep's: a shard whose stream is missing makes it 3 at the best.
set -uo pipefail
sweeper=$1
streams=$2

folder=${RUNNER_TEMP:-.}/wormsweep/reports
mkdir -p "$folder" || exit 3
rm -f "$folder"/{sweep,findings}.{jsonl,sarif,md} # of an earlier run

mapfile -t files < <(find "$streams" -name sweep.jsonl -type f 2>/dev/null | sort)
if [[ -n ${INPUT_POLICY-} ]]; then
	verified=$(find "$streams" -name verify.jsonl -type f 2>/dev/null | head -n 1)
	if [[ -z $verified ]]; then # a stream that is empty is a problem of the whole
		verified=$folder/verify.jsonl
		: >"$verified"
	fi
	files+=("$verified")
fi
if ((${#files[@]} == 0)); then
	echo "no shard has a stream: nothing was looked at" >&2
	exit 3
fi

args=(--report "json=$folder/sweep.jsonl" --report "sarif=$folder/sweep.sarif" --report "markdown=$folder/sweep.md")
if [[ -n ${INPUT_ISSUES-} ]]; then
	args+=("--issues=$INPUT_ISSUES")
	if [[ -n ${INPUT_ORGANISATION-} ]]; then
		args+=("--org=$INPUT_ORGANISATION")
	fi
	if [[ -n ${INPUT_GITHUB_URL-} ]]; then
		args+=("--github-url=$INPUT_GITHUB_URL")
	fi
	if [[ ${INPUT_DRY_RUN-} == true ]]; then
		args+=(--dry-run)
	fi
	# Lists tell whether what was found before was looked for again.
	while IFS= read -r list; do
		if [[ -n $list ]]; then
			args+=("--ioc=${INPUT_LISTS:-.}/$list")
		fi
	done <<<"${INPUT_IOC-}"
fi
# The runner obeys lines of a log, and names from repositories stand in this one.
quiet=
if [[ ${GITHUB_ACTIONS-} == true ]]; then
	quiet=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
	echo "::stop-commands::$quiet"
fi
"$sweeper" report "${args[@]}" -- "${files[@]}"
code=$?
if [[ -n $quiet ]]; then
	echo "::$quiet::"
fi

# Whoever can read the repository can read its artifacts: findings and problems, no ledger.
if [[ -f $folder/sweep.jsonl ]]; then
	grep -v '^{"type":"coverage"' "$folder/sweep.jsonl" >"$folder/findings.jsonl"
	rm "$folder/sweep.jsonl"
fi
if [[ -n ${GITHUB_STEP_SUMMARY-} && -s $folder/sweep.md ]]; then
	cat "$folder/sweep.md" >>"$GITHUB_STEP_SUMMARY"
fi
exit "$code"
