package incident

// Notice is what a chat is told of an incident.
type Notice struct {
	Kind         NoticeKind `json:"kind"`
	Organisation string     `json:"organisation"`
	Campaign     Campaign   `json:"campaign"`
	Repositories int        `json:"repositories"` // that are hit now
	Places       int        `json:"places"`
	Settled      int        `json:"settled"` // repositories in which nothing is left
	Gaps         int        `json:"gaps"`    // problems of the sweep
	URL          string     `json:"url,omitempty"`
}

// NoticeKind is why it is told.
type NoticeKind string

// The kinds, each told once for an incident, a change and a cure.
const (
	NoticeFirst   NoticeKind = "first"
	NoticeChanged NoticeKind = "changed"
	NoticeCured   NoticeKind = "cured"
)

// owe puts a notice in the place of what is owed already: a chat that was away is told what
// is so now, not all that it missed.
func (r *Record) owe(kind NoticeKind) {
	if r.Owed != nil && r.Owed.Kind == NoticeFirst && kind == NoticeChanged {
		kind = NoticeFirst
	}
	n := &Notice{Kind: kind, Organisation: r.Organisation, Campaign: r.Campaign, Places: len(r.open()), Gaps: r.Gaps.Problems}
	for _, at := range r.repositories() {
		if len(at.open) > 0 {
			n.Repositories++
		} else {
			n.Settled++
		}
	}
	r.Owed = n
}
