package respond

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"net/url"
	"strings"

	"github.com/wormsweep/wormsweep/pkg/ecosystem"
	"github.com/wormsweep/wormsweep/pkg/registry/host"
	"github.com/wormsweep/wormsweep/pkg/version"
)

// slug is a name as a part of an id: what of it is plain, and a digest of all of it.
func slug(name string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(name) {
		if 'a' <= r && r <= 'z' || '0' <= r && r <= '9' {
			b.WriteRune(r)
		} else if b.Len() > 0 && !strings.HasSuffix(b.String(), "-") {
			b.WriteByte('-')
		}
		if b.Len() >= 40 {
			break
		}
	}
	sum := sha256.Sum256([]byte(name))
	return strings.Trim(b.String(), "-") + "-" + hex.EncodeToString(sum[:4])
}

// repositoryWord is "owner/repository" as a word, or a blank where it is none.
func repositoryWord(source string) Word { return word(okRepository(source), source, "repository") }

func okRepository(source string) bool {
	return strings.Count(source, "/") == 1 && ecosystem.Actions.CheckName(source) == nil && !strings.HasPrefix(source, "-")
}

// githubLink is an address below a repository's, "" where the name is none.
func githubLink(source, rest string) string {
	if !okRepository(source) {
		return ""
	}
	return "https://" + host.GitHub + "/" + source + rest
}

// word is a checked text, or a blank that says what should stand there.
func word(ok bool, text, blank string) Word {
	if !ok || text == "" || strings.HasPrefix(text, "-") {
		return Word{Blank: blank}
	}
	return Word{Text: text}
}

// spec is name and version as one word.
func spec(e ecosystem.Ecosystem, name, v string) Word {
	if e.CheckName(name) != nil || strings.HasPrefix(name, "-") {
		return Word{Blank: "package"}
	}
	if version.Check(e, v) != nil {
		return Word{Text: name + "@", Blank: "version"}
	}
	return Word{Text: name + "@" + v}
}

// address is that of the registry of the artifact, without a slash at its end, or the public one's;
// "" for one that is no address.
func (a *Ours) address(public string) string {
	text := cmp.Or(a.Address, "https://"+public)
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" ||
		strings.Trim(u.Host, plainLetters) != "" || strings.Trim(u.Path, plainLetters) != "" {
		return ""
	}
	return strings.TrimSuffix(text, "/")
}

// fetch is a command that reads an address and changes nothing.
func fetch(words ...any) Command {
	return command(append([]any{"curl", "--fail", "--silent", "--show-error"}, words...)...)
}
