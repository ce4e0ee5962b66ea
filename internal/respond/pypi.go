package respond

import (
	"net/url"
	"slices"
	"strings"

	"github.com/wormsweep/wormsweep/pkg/ecosystem"
	"github.com/wormsweep/wormsweep/pkg/registry/host"
	"github.com/wormsweep/wormsweep/pkg/version"
)

// pypi plans for a project of PyPI. There everything is done by a person on its pages: there is no
// way for a program.
func (b *withdrawal) pypi(a *Ours) (ids []string) {
	name, public := "", a.address(host.PyPI) == "https://"+host.PyPI
	if ecosystem.PyPI.CheckName(a.Name) == nil {
		name = ecosystem.PyPI.CanonicalName(a.Name)
	}
	link := func(path string) string {
		if name == "" || !public {
			return ""
		}
		return "https://" + host.PyPI + path
	}
	var index *Command
	if at := a.address(host.PyPI); at != "" && name != "" {
		index = fetch("--header", "Accept: application/vnd.pypi.simple.v1+json", at+"/simple/"+name+"/").ref()
	}
	evidence := b.pypiEvidence(a)
	for _, v := range a.Bad {
		at := link("/manage/project/" + name + "/release/" + v.Version + "/")
		if version.Check(ecosystem.PyPI, v.Version) != nil {
			at = link("/manage/project/" + name + "/releases/")
		}
		yank := b.add(Step{
			ID: a.slug() + "-yank-" + slug(v.Version), Title: "Yank " + a.Name + " " + v.Version, Class: Human, Link: at,
			Why:   "The quick first click: nobody gets the release who did not ask for it by its number. Who did still does: yanking alone is not enough.",
			Probe: Probe{Text: "Every file of the release is yanked in the index.", Command: index},
		})
		gone := b.add(Step{
			ID: a.slug() + "-delete-" + slug(v.Version), Title: "Delete the release " + v.Version + " of " + a.Name, Class: Human, Link: at,
			Irreversible: "The names of its files can never be uploaded again.", After: append(b.frozenFor(a), yank, evidence),
			Probe: Probe{Text: "The index has no file of the release.", Command: index},
			Notes: []string{"An administrator of PyPI can put the release in quarantine instead, which hides it and keeps it: ask for that in the report."},
		})
		report := Step{
			ID: a.slug() + "-report-" + slug(v.Version), Title: "Report " + a.Name + " " + v.Version + " to PyPI as malware", Class: Human,
			Link: link("/project/" + name + "/submit-malware-report/"), Why: "An administrator can put the release, or the project, in quarantine.",
			Probe: Probe{Text: "The index has the project or the release as quarantined, or PyPI answered.", Command: index},
		}
		if public && name != "" && version.Check(ecosystem.PyPI, v.Version) == nil {
			report.Notes = append(report.Notes, "The report wants the address of the files in the inspector: "+host.PyPIInspector+"/project/"+name+"/"+v.Version+"/")
		}
		ids = append(ids, yank, gone, b.add(report))
	}
	return ids
}

// pypiEvidence reads the files by their addresses. pip is not used: to fetch an archive of sources it
// runs it.
func (b *withdrawal) pypiEvidence(a *Ours) string {
	s := Step{
		ID: a.slug() + "-evidence", Title: "Keep the files of the bad releases of " + a.Name, Class: Automatic,
		Why:   "After they are deleted nobody can look at them any more. pip is not to be used for it: it runs an archive of sources to know what it is.",
		Probe: Probe{Text: "The digest of each file is that of the index, and is written down with the time."},
	}
	if a.Listing != nil {
		for i := range a.Listing.Releases {
			r := &a.Listing.Releases[i]
			for _, f := range r.Files {
				u, err := url.Parse(f.URL)
				if a.bad(r.Version) && err == nil && u.Scheme == "https" && u.User == nil && okFile(f.Name) &&
					(u.Host == host.PyPIFiles || a.address(host.PyPI) == "https://"+u.Host) {
					s.Commands = append(s.Commands, fetch("--output", f.Name, f.URL))
				}
			}
		}
	}
	if len(s.Commands) == 0 {
		s.Class = Human
		s.Notes = append(s.Notes, "The addresses of the files are not known: they stand in the index.")
	}
	return b.add(s)
}

// okFile reports whether a name is one of a file in the folder where the command is run.
func okFile(name string) bool {
	return name != "" && name[0] != '.' && name[0] != '-' && strings.Trim(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._+!-") == "" &&
		!slices.Contains([]string{"CON", "NUL"}, name)
}
