package goproxy

import (
	"errors"
	"fmt"
	"time"

	"github.com/go-json-experiment/json"
	"golang.org/x/mod/semver"
)

// Info is what a proxy says of a version (cmd/go/internal/modfetch, RevInfo). Keys are compared
// with their letter case; those that are not of ours are left out.
type Info struct {
	Version string    `json:"Version"`
	Time    time.Time `json:"Time"` // of the commit, or when the proxy made it
	Origin  *Origin   `json:"Origin"`
}

// Origin is where a version came from, by the proxy's word: it is not signed, and proxies may
// leave it out. Every field may be empty.
type Origin struct {
	VCS    string `json:"VCS"` // "git"
	URL    string `json:"URL"` // of the repository
	Subdir string `json:"Subdir"`
	Hash   string `json:"Hash"` // the commit
	Ref    string `json:"Ref"`  // "refs/tags/v1.2.3"
}

// ParseInfo reads an answer to ".info" or "@latest". It is a pure function of its bytes.
func ParseInfo(data []byte) (*Info, error) {
	var info Info
	if err := json.Unmarshal(data, &info); err != nil {
		return nil, err
	}
	if !semver.IsValid(info.Version) {
		return nil, fmt.Errorf("%.100q is not a version", info.Version)
	}
	if info.Time.IsZero() {
		return nil, errors.New("it has no time")
	}
	return &info, nil
}

// Commit is the commit that the proxy says, "" where it does not, or says one of another
// system than git.
func (i *Info) Commit() string {
	if i == nil || i.Origin == nil || i.Origin.VCS != "" && i.Origin.VCS != "git" || !hexID(i.Origin.Hash) {
		return ""
	}
	return i.Origin.Hash
}

// hexID reports whether a text is a whole git id.
func hexID(s string) bool {
	if len(s) != 40 && len(s) != 64 {
		return false
	}
	for i := range len(s) {
		if c := s[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}
