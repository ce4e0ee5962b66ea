package githubtest

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/wormsweep/wormsweep/internal/githubtest/orggen"
	"github.com/wormsweep/wormsweep/pkg/registry/host"
)

// Generate says what a generated organisation is like. Zero fields have defaults.
type Generate struct {
	orggen.Options
	Owner        string // the first organisation
	Repositories int    // 10,000
	Lockfiles    int    // of all repositories together; three for each repository
}

// Organized is a generated organisation.
type Organized struct {
	Repos []*Repo // by number

	server  *Server
	contain []*orggen.Repository // nil where the repository is empty
}

// The shares of repositories, in thousandths, that are not plain private ones.
var shares = []struct {
	of    uint64
	apply func(r *Repository)
}{
	{80, func(r *Repository) { r.Archived = true }},
	{50, func(r *Repository) { r.Fork, r.IssuesOff = true, true }},
	{20, func(r *Repository) { r.Kilobytes = 0 }}, // empty
	{2, func(r *Repository) { r.Disabled = true }},
	{1, func(r *Repository) { r.Locked = true }},
	{100, func(r *Repository) { r.Visibility = Internal }},
	{100, func(r *Repository) { r.Visibility = Public }},
}

// The kinds of generated repositories that generate looks at, as places in shares.
const (
	forkShare  = 1
	emptyShare = 2
)

var adjectives = strings.Fields("amber bold calm dusty early faint grand hidden inner jolly keen lucid mellow noble odd plain quiet rapid solid tidy")

var nouns = strings.Fields("anchor basket cellar dynamo engine folder garden harbor index journal kernel ledger mirror needle orbit parcel queue relay signal tunnel")

// Generate adds a generated organisation: repositories with lockfiles of a corpus. Of a
// thousand of them 80 are archived, 50 forks (which hold what the one before them that is not
// empty holds, and have no issues), 20 empty, 2 disabled, 1 locked, 100 internal, 100 public, and 10 were
// renamed.
func (s *Server) Generate(g Generate) (*Organized, error) {
	g.Repositories = cmp.Or(g.Repositories, 10_000)
	g.Lockfiles = cmp.Or(g.Lockfiles, 3*g.Repositories)
	source, err := orggen.New(g.Options)
	if err != nil {
		return nil, err
	}
	kinds := make([]int, g.Repositories)
	full := 0
	for i := range kinds {
		if kinds[i] = kindOfNumber(g.Seed, i); kinds[i] != emptyShare {
			full++
		}
	}
	o := &Organized{server: s}
	before := time.Date(2025, 6, 2, 8, 0, 0, 0, time.UTC)
	left, number, n := g.Lockfiles, 0, 0
	for i, kind := range kinds {
		r := Repository{
			Owner: g.Owner, Name: fmt.Sprintf("%s-%s-%05d", adjectives[i%20], nouns[i/20%20], i), Description: fmt.Sprintf("Repository number %d", i),
			CreatedAt: before, PushedAt: before.Add(time.Duration(i) * time.Minute), Kilobytes: 100 + i%5000,
		}
		if kind < len(shares) {
			shares[kind].apply(&r)
		}
		var content *orggen.Repository
		if kind != emptyShare {
			if kind != forkShare || n == 0 { // a fork holds what the one before it holds
				number, n = i, (left+full-1)/full
			}
			left, full = left-n, full-1
			content = source.Repository(number, n)
			r.Content = content
		}
		repo := s.Add(r)
		if i%100 == 50 {
			repo.Rename(r.Name + "-renamed")
		}
		o.Repos = append(o.Repos, repo)
		o.contain = append(o.contain, content)
	}
	return o, nil
}

// kindOfNumber gives the place in shares of repository number i, or len(shares) for a plain
// one. It spreads them evenly: every thousand repositories have the same shares.
func kindOfNumber(seed uint64, i int) int {
	place := (uint64(i)*617 + seed%1000) % 1000 // 617 and 1000 have no common divisor
	for kind, share := range shares {
		if place < share.of {
			return kind
		}
		place -= share.of
	}
	return len(shares)
}

// Full gives the numbers of the repositories that can be read and hold something.
func (o *Organized) Full() []int {
	var numbers []int
	for i, r := range o.Repos {
		if o.contain[i] != nil && !r.Disabled {
			numbers = append(numbers, i)
		}
	}
	return numbers
}

// Push pushes to a repository: one of its lockfiles changes, or with files these are put in
// place.
func (o *Organized) Push(number int, files map[string]string) {
	o.contain[number].Push(files)
	now := o.server.opts.Now().UTC().Truncate(time.Second)
	o.Repos[number].Change(func(r *Repository) { r.PushedAt = now })
}

// PushShare pushes to one repository in so many, of those that can be pushed to, and gives
// their numbers.
func (o *Organized) PushShare(oneIn int) []int {
	var pushed []int
	for _, i := range o.Full() {
		if r := o.Repos[i]; i%oneIn == oneIn/2 && !r.Archived && !r.Locked {
			o.Push(i, nil)
			pushed = append(pushed, i)
		}
	}
	return pushed
}

// Plant pushes a package-lock.json that locks one npm package, in a folder of its own.
func (o *Organized) Plant(number int, name, version string) (path string) {
	path = "planted/package-lock.json"
	base := name[strings.LastIndexByte(name, '/')+1:]
	o.Push(number, map[string]string{path: fmt.Sprintf(`{
  "name": "planted",
  "version": "1.0.0",
  "lockfileVersion": 3,
  "requires": true,
  "packages": {
    "": {"name": "planted", "version": "1.0.0", "dependencies": {%[1]q: %[2]q}},
    "node_modules/%[1]s": {
      "version": %[2]q,
      "resolved": "https://%[4]s/%[1]s/-/%[3]s-%[2]s.tgz"
    }
  }
}
`, name, version, base, host.NPM)})
	return path
}
