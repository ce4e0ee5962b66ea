package incident

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"regexp"
	"strconv"
	"strings"
)

// Key makes the marks by which we know our own texts again. The zero value makes none.
type Key struct{ secret []byte }

// MinSecret is the least length of a secret, in bytes.
const MinSecret = 16

// ErrWeakKey is returned by NewKey.
var ErrWeakKey = errors.New("the key of the incident marks: fewer than 16 bytes")

// NewKey derives a key from a secret of at least MinSecret bytes, which may serve other ends as
// well: nothing can be concluded from a mark on the secret. Another secret makes other marks:
// issues are then found by the record alone, and marked anew when their content changes.
func NewKey(secret []byte) (Key, error) {
	if len(secret) < MinSecret {
		return Key{}, ErrWeakKey
	}
	key, err := hkdf.Key(sha256.New, secret, nil, "wormsweep incident marks 1", sha256.Size)
	return Key{key}, err
}

func (k Key) valid() bool { return len(k.secret) > 0 }

// sum is the HMAC-SHA256 of parts, each with its length.
func (k Key) sum(parts ...string) string {
	h := hmac.New(sha256.New, k.secret)
	for _, p := range parts {
		h.Write([]byte(strconv.Itoa(len(p)) + ":" + p))
	}
	return hex.EncodeToString(h.Sum(nil))
}

// The kinds of marks.
const (
	markIncident = "incident"
	markPart     = "part"
	markComment  = "comment"
	markAnswer   = "answer"
	markTick     = "tick"
)

func (k Key) mark(kind, organisation, campaign string, more ...string) string {
	return k.sum(append([]string{"wormsweep/1", kind, strings.ToLower(organisation), campaign}, more...)...)
}

// markState is what a marked issue says of itself.
type markState string

const (
	markOpen      markState = "open"
	markClosed    markState = "closed"    // with proof, by us
	markDuplicate markState = "duplicate" // it is no incident's issue any more
)

// head is the first line of an issue's text: the mark, what state we left the issue in, how
// many changes were told in comments, and the digest of the content.
type head struct {
	state    markState
	sequence int
	digest   string
}

func (k Key) issueHead(organisation, campaign string, h head) string {
	return "<!-- wormsweep incident " + k.mark(markIncident, organisation, campaign) + " " + string(h.state) + " " + strconv.Itoa(h.sequence) + " " + h.digest + " -->"
}

var headLine = regexp.MustCompile(`^<!-- wormsweep incident ([0-9a-f]{64}) (open|closed|duplicate) ([0-9]{1,9}) ([0-9a-f]{64}) -->$`)

// readHead reads the first line of an issue's text; ok says that it bears our mark of that
// incident. The caller has seen to it that the issue's author is ours: a mark can be copied.
func (k Key) readHead(organisation, campaign, body string) (h head, ok bool) {
	m := headLine.FindStringSubmatch(firstLine(body))
	if m == nil || !hmac.Equal([]byte(m[1]), []byte(k.mark(markIncident, organisation, campaign))) {
		return head{}, false
	}
	n, err := strconv.Atoi(m[3])
	return head{markState(m[2]), n, m[4]}, err == nil
}

// commentHead is the first line of a comment of ours.
func (k Key) commentHead(kind, organisation, campaign, what string) string {
	return "<!-- wormsweep " + kind + " " + k.mark(kind, organisation, campaign, what) + " -->"
}

// marked reports whether a comment begins with that line.
func marked(body, head string) bool {
	return hmac.Equal([]byte(firstLine(body)), []byte(head))
}

// firstLine is without the carriage return that GitHub's editor leaves.
func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return strings.TrimSuffix(line, "\r")
}

// tick is the mark of a check-list line, by which the line of a repository is known again.
func (k Key) tick(organisation, campaign, repository string) string {
	return k.mark(markTick, organisation, campaign, repository)[:16]
}
