package githubtest

import (
	"cmp"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/wormsweep/wormsweep/internal/githubtest/gitstore"
)

// Account is a user, an organisation or the bot of an App.
type Account struct {
	ID      int64
	Login   string
	Kind    string   // "User", "Organization" or "Bot"
	Members []string // of an organisation: logins of users
	Runners []Runner // of an organisation
	Teams   []*Team  // of an organisation
	Secrets []Secret // of an organisation

	Packages []Package
}

// Runner is a self-hosted runner.
type Runner struct {
	ID     int64
	Name   string
	Labels []string
}

// The visibilities of repositories.
const (
	Public   = "public"
	Private  = "private"
	Internal = "internal"
)

// Repository is what a repository is, apart from its issues. Its zero value, but for Owner
// and Name, is a private, empty one.
type Repository struct {
	ID          int64 // given by the server when 0
	Owner, Name string
	Description string
	Topics      []string
	Visibility  string // Private when empty
	Archived    bool
	Fork        bool
	Disabled    bool // by GitHub: nothing of it can be read
	Locked      bool // during a migration
	IssuesOff   bool
	CreatedAt   time.Time // the server's time when zero
	PushedAt    time.Time // as CreatedAt when zero
	Kilobytes   int
	Content     gitstore.Content // an empty gitstore.Memory when nil
	Runners     []Runner
	Releases    []Release
	Pulls       []Pull
	Actions     Runs

	Attestations []Attestation
}

// Pull is a pull request. Its head is refs/pull/NUMBER/head of the content.
type Pull struct {
	ID     int64
	Number int
	Title  string
	Branch string // of the head
	Base   string // branch; the default one when empty
	Closed bool
	Draft  bool
	Fork   bool // its head lies in a fork: no branch of this repository
	Author string
}

// FullName is OWNER/NAME.
func (r Repository) FullName() string { return r.Owner + "/" + r.Name }

func (r Repository) isPrivate() bool { return r.Visibility != Public }

// defaultBranch is the name of the branch that HEAD names, also when there is none yet.
func (r Repository) defaultBranch() string {
	return strings.TrimPrefix(r.Content.Head(), "refs/heads/")
}

func (r Repository) empty() bool { return len(r.Content.Refs()) == 0 }

// Repo is a repository of a server.
type Repo struct {
	server *Server
	Repository
	labels []label
	issues []*issue
	checks []*CheckRun
	number int // of the last issue or pull request
}

// node makes the opaque id that GraphQL knows a thing by.
func node(kind string, id int64) string {
	return kind + "_" + base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, "%02d:%s%d", len(kind), kind, id))
}

// newID gives a number that no other thing of the server has.
func (s *Server) newID() int64 {
	s.lastID++
	return s.lastID
}

// AddOrganization adds an organisation. It panics when the login is taken.
func (s *Server) AddOrganization(login string) *Account { return s.addAccount(login, "Organization") }

// AddUser adds a user.
func (s *Server) AddUser(login string) *Account { return s.addAccount(login, "User") }

func (s *Server) addAccount(login, kind string) *Account {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := strings.ToLower(login)
	if s.accounts[key] != nil {
		panic(fmt.Sprintf("githubtest: there is already an account %q", login))
	}
	a := &Account{ID: s.newID(), Login: login, Kind: kind}
	s.accounts[key] = a
	return a
}

// Update changes accounts, repositories and whatever else is the server's while no request
// is looking at it.
func (s *Server) Update(change func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change()
}

// Add adds a repository. Its owner becomes an organisation when nobody has the name, and is
// the first organisation when the field is empty.
func (s *Server) Add(r Repository) *Repo {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.Owner == "" {
		r.Owner = s.opts.Org
	}
	owner := s.accounts[strings.ToLower(r.Owner)]
	if owner == nil {
		owner = &Account{ID: s.newID(), Login: r.Owner, Kind: "Organization"}
		s.accounts[strings.ToLower(r.Owner)] = owner
	}
	r.Owner = owner.Login
	if s.find(r.FullName()) != nil {
		panic(fmt.Sprintf("githubtest: there is already a repository %q", r.FullName()))
	}
	r.ID = cmp.Or(r.ID, s.newID())
	s.lastID = max(s.lastID, r.ID)
	r.Visibility = cmp.Or(r.Visibility, Private)
	if r.CreatedAt.IsZero() {
		r.CreatedAt = s.opts.Now().UTC().Truncate(time.Second)
	}
	if r.PushedAt.IsZero() {
		r.PushedAt = r.CreatedAt
	}
	if r.Content == nil {
		r.Content = gitstore.NewMemory()
	}
	repo := &Repo{server: s, Repository: r}
	for i := range repo.Pulls {
		p := &repo.Pulls[i]
		p.ID = cmp.Or(p.ID, s.newID())
		repo.number = max(repo.number, p.Number)
	}
	for i := range repo.Releases {
		s.number(&repo.Releases[i])
	}
	at, _ := slices.BinarySearchFunc(s.repos, r.ID, func(a *Repo, id int64) int { return cmp.Compare(a.ID, id) })
	s.repos = slices.Insert(s.repos, at, repo)
	s.byName = nil
	s.byID[r.ID] = repo
	s.names[strings.ToLower(r.FullName())] = repo
	delete(s.renamed, strings.ToLower(r.FullName()))
	return repo
}

// AddFiles adds a private repository of the first organisation with one commit.
func (s *Server) AddFiles(name string, files map[string]string) *Repo {
	content := gitstore.NewMemory()
	content.Commit(content.Head(), "first", gitstore.Text(files))
	return s.Add(Repository{Name: name, Content: content})
}

// Repo gives a repository by OWNER/NAME, or panics.
func (s *Server) Repo(fullName string) *Repo {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.find(fullName)
	if r == nil {
		panic(fmt.Sprintf("githubtest: there is no repository %q", fullName))
	}
	return r
}

// find gives the repository that now has the name, or nil.
func (s *Server) find(fullName string) *Repo { return s.names[strings.ToLower(fullName)] }

// sorted gives the repositories by lower-case full name.
func (s *Server) sorted() []*Repo {
	if s.byName == nil {
		s.byName = slices.Clone(s.repos)
		slices.SortFunc(s.byName, func(a, b *Repo) int {
			return strings.Compare(strings.ToLower(a.FullName()), strings.ToLower(b.FullName()))
		})
	}
	return s.byName
}

// Remove deletes a repository, as when it is deleted or leaves GitHub.
func (r *Repo) Remove() {
	s := r.server
	s.mu.Lock()
	defer s.mu.Unlock()
	s.repos = slices.DeleteFunc(s.repos, func(other *Repo) bool { return other == r })
	s.byName = nil
	delete(s.byID, r.ID)
	delete(s.names, strings.ToLower(r.FullName()))
}

// Rename gives the repository another name, and another owner when name holds a slash.
// The old name redirects to it.
func (r *Repo) Rename(name string) {
	s := r.server
	s.mu.Lock()
	defer s.mu.Unlock()
	s.renamed[strings.ToLower(r.FullName())] = r.ID
	delete(s.names, strings.ToLower(r.FullName()))
	if owner, rest, both := strings.Cut(name, "/"); both {
		r.Owner, name = owner, rest
	}
	r.Name = name
	s.names[strings.ToLower(r.FullName())] = r
	s.byName = nil
}

// Change changes what the repository is, but not its names.
func (r *Repo) Change(change func(*Repository)) {
	r.server.Update(func() { change(&r.Repository) })
}

// Memory gives the content of a repository that is in memory, or panics.
func (r *Repo) Memory() *gitstore.Memory { return r.Content.(*gitstore.Memory) }

// Push commits files to a branch, as all that it holds, and gives the id of the commit.
func (r *Repo) Push(branch string, files map[string]string) gitstore.ID {
	id := r.Memory().Commit("refs/heads/"+branch, "push", gitstore.Text(files))
	r.Change(func(repo *Repository) { repo.PushedAt = r.server.opts.Now().UTC().Truncate(time.Second) })
	return id
}

// OpenPull opens a pull request whose head holds files, and gives its number.
func (r *Repo) OpenPull(title string, files map[string]string) int {
	s := r.server
	s.mu.Lock()
	r.number++
	p := Pull{ID: s.newID(), Number: r.number, Title: title, Branch: fmt.Sprintf("change-%d", r.number)}
	r.Pulls = append(r.Pulls, p)
	s.mu.Unlock()
	if base, ok := gitstore.Lookup(r.Content, r.Content.Head()); ok {
		r.Memory().SetRef("refs/heads/"+p.Branch, base)
	}
	id := r.Memory().Commit("refs/heads/"+p.Branch, title, gitstore.Text(files))
	r.Memory().SetRef(fmt.Sprintf("refs/pull/%d/head", p.Number), id)
	return p.Number
}
