package respond

// The checks of a clean new version. Each can be answered by a machine, before the publish.
const (
	checkNumber   = "new-number"
	checkReviewed = "reviewed-commit"
	checkRunner   = "fresh-runner"
	checkCache    = "no-cache"
	checkScripts  = "scripts-off"
	checkToken    = "no-long-token"
	checkSigned   = "signed"
	checkIdentity = "identity-as-policy"
	checkFiles    = "files-as-tag"
	checkHook     = "no-new-script"
	checkLatest   = "latest-points-to-it"
	checkSweep    = "own-lockfile-clean"
)

// republish are the conditions of a clean new version of each artifact, and those of them all. What
// is not known yet is unknown: the preflight of a release answers it.
func (b *withdrawal) republish() []Check {
	var out []Check
	for i := range b.in.Artifacts {
		a := &b.in.Artifacts[i]
		c := Check{
			ID: checkNumber + "-" + a.slug(), Values: a.taken(),
			Text: "The number of the new version of " + a.id() + " was never used: not published, unpublished, yanked, staged, nor a tag of the repository.",
		}
		switch next := a.nextMinor(); {
		case next != "":
			c.Detail = next + " is above all that the registry has; staged versions and tags are still to be asked"
		case a.Listing == nil:
			c.Detail = "it is not known what is published"
		}
		out = append(out, c)
	}
	return append(out,
		Check{ID: checkReviewed, Text: "It is built from a commit that two people reviewed, and not from the head that the worm touched."},
		Check{ID: checkRunner, Text: "It is built on a hosted runner that is new for this run."},
		Check{ID: checkCache, Text: "The run restores no cache, and no cache of an untrusted run has its key."},
		Check{ID: checkScripts, Text: "Dependencies are installed with scripts off."},
		Check{ID: checkToken, Text: "It is published by the identity of the workflow; or the token is written after the installation and taken away in the same step."},
		Check{ID: checkSigned, Text: "It is signed, and has provenance and a list of contents."},
		Check{ID: checkIdentity, Text: "The identity in its provenance is that of the policy, whole."},
		Check{ID: checkFiles, Text: "Its files are those of the tag, and no others but what the build is known to add."},
		Check{ID: checkHook, Text: "It has no installation script that the versions before it had not."},
		Check{ID: checkLatest, Text: "After the publish, latest points to it."},
		Check{ID: checkSweep, Text: "A sweep of its own lockfile finds nothing, and reads all of it."},
	)
}
