// Package incident keeps one incident for each campaign that a sweep found in an
// organisation: its record, its issue, its close-out.
//
// Between sweeps a Desk takes what people say in comments, what triage decided, and what time asks
// for; each is one change of the record, and the issue shows it.
//
// A Sweep takes the events of a sweep. Plan is the core and is pure: from the record of
// the last time, what the sweep saw and the issue as it stands, it makes the next record and
// the actions that lead there. A Filer carries them out on a Tracker and keeps the record in
// a Store.
//
// What it promises:
//
//   - One open issue for a campaign in an organisation, whatever was killed, lost or run
//     twice at once. The issue is found again by the record, and by a keyed mark in issues of
//     our own author; never by search, and never by what anybody else wrote.
//   - An issue is written to only when its content changes. Time stamps are no content.
//   - An issue is closed only with proof: a later sweep that read the same refs of the same
//     repositories, and did not find the campaign there. What was not read keeps it open, and
//     the issue says what is missing.
//   - What needs a person's word, a sweep proves and does not close. See State for the moves.
//   - A person who closes an issue is respected until something new is found.
//   - Nothing that a repository or a feed says can mention, link, close or render: each such
//     string goes through the escaper of package report.
//   - Texts stay below GitHub's limits, and what is not listed is counted.
package incident
