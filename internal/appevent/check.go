package appevent

import (
	"errors"
	"fmt"
	"strings"
)

// checker keeps the first thing that is wrong with a body.
type checker struct{ err error }

func (c *checker) fail(format string, args ...any) {
	if c.err == nil {
		c.err = fmt.Errorf(format, args...)
	}
}

// Limits of names. GitHub's own are lower.
const (
	maxName = 255
	maxRef  = 1 << 10
	maxWord = 64
)

// common checks what an event has of Common.
func (c *checker) common(e *Common) {
	if e.Action != "" && !isWord(e.Action) {
		c.fail("action %.80q is no word", e.Action)
	}
	if e.Installation != nil {
		c.id("installation", e.Installation.ID)
	}
	if e.Repository != nil {
		c.repository("repository", e.Repository)
	}
	if e.Organization != nil {
		c.account("organization", e.Organization)
	}
	if e.Sender != nil {
		c.account("sender", e.Sender)
	}
}

func (c *checker) id(what string, n int64) {
	if n <= 0 {
		c.fail("%s: %d is no number of one", what, n)
	}
}

// action checks that something was done.
func (c *checker) action(e *Common) {
	if e.Action == "" {
		c.fail("no action")
	}
}

// needs checks that a repository is named.
func (c *checker) needs(e *Common) {
	if e.Repository == nil {
		c.fail("no repository")
	}
}

func (c *checker) account(what string, a *Account) {
	c.id(what, a.ID)
	if !isLogin(a.Login) {
		c.fail("%s: %.80q is no login", what, a.Login)
	}
}

func (c *checker) repository(what string, r *Repository) {
	c.id(what, r.ID)
	owner, name, _ := strings.Cut(r.FullName, "/")
	if !isLogin(owner) || !isRepositoryName(name) {
		c.fail("%s: %.120q is no OWNER/NAME", what, r.FullName)
	}
	if name != r.Name {
		c.fail("%s: the name %.80q is not that of %.120q", what, r.Name, r.FullName)
	}
	// Who owns it, the number says: GitHub's own examples have owners of another name.
	c.account(what+" owner", &r.Owner)
}

// commit checks the id of a commit.
func (c *checker) commit(what, id string) {
	if !IsCommit(id) {
		c.fail("%s: %.80q is no id of a commit", what, id)
	}
}

// ref checks the full name of a ref.
func (c *checker) ref(what, name string) {
	if err := refName(name); err != nil {
		c.fail("%s: %.120q: %w", what, name, err)
	}
	if !strings.HasPrefix(name, "refs/") {
		c.fail("%s: %.120q is no full name of a ref", what, name)
	}
}

// short checks the name of a branch or tag without its prefix.
func (c *checker) short(what, name string) {
	if err := refName(name); err != nil {
		c.fail("%s: %.120q: %w", what, name, err)
	}
}

// word checks a name of few letters.
func (c *checker) word(what, text string) {
	if !isWord(text) {
		c.fail("%s: %.80q is no word", what, text)
	}
}

// IsCommit reports whether text is the id of a commit in lower-case hex, of SHA-1 or SHA-256, and
// not the zero id.
func IsCommit(text string) bool { return isHex(text) && strings.Trim(text, "0") != "" }

// IsZero reports whether text is the id that stands for none: of a ref that was not there, or is
// not any more.
func IsZero(text string) bool { return isHex(text) && strings.Trim(text, "0") == "" }

func isHex(text string) bool {
	if len(text) != 40 && len(text) != 64 {
		return false
	}
	for i := range len(text) {
		if c := text[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

func isWord(text string) bool {
	if text == "" || len(text) > maxWord {
		return false
	}
	for i := range len(text) {
		if c := text[i]; (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '_' && c != '-' {
			return false
		}
	}
	return true
}

// isLogin reports whether text may be the login of an account: "octo-org", "app[bot]",
// "name_shortcode" of managed users.
func isLogin(text string) bool {
	text = strings.TrimSuffix(text, "[bot]")
	if text == "" || len(text) > maxName {
		return false
	}
	for i := range len(text) {
		switch c := text[i]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '-', c == '_', c == '.':
		default:
			return false
		}
	}
	return strings.Trim(text, ".") != ""
}

func isRepositoryName(text string) bool {
	return isLogin(text) && !strings.Contains(text, "[")
}

// refName gives the error for a name that git lets no ref have (git-check-ref-format), in so far
// as it could be taken for something else than a name.
func refName(name string) error {
	if name == "" || len(name) > maxRef {
		return errors.New("no name")
	}
	if strings.HasPrefix(name, "/") || strings.HasSuffix(name, "/") || strings.Contains(name, "//") || strings.Contains(name, "..") ||
		strings.HasSuffix(name, ".") || strings.HasSuffix(name, ".lock") || strings.Contains(name, "@{") {
		return errors.New("not a name that git gives a ref")
	}
	for i := range len(name) {
		switch c := name[i]; {
		case c < ' ', c == 0x7f, strings.IndexByte(" ~^:?*[\\", c) >= 0:
			return errors.New("holds a character that no ref has")
		}
	}
	return nil
}
