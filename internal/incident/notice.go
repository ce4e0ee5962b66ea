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

	State State  `json:"state,omitempty"`
	Who   string `json:"who,omitempty"`  // login of who did it
	Role  string `json:"role,omitempty"` // who is told, of NoticeEscalated and NoticeOverdue
	Team  string `json:"team,omitempty"` // of the role: the slug of a team of the organisation
	Text  string `json:"text,omitempty"` // what was said of it
}

// NoticeKind is why it is told.
type NoticeKind string

// The kinds, each told once for an incident, a change and a cure.
const (
	NoticeFirst   NoticeKind = "first"
	NoticeChanged NoticeKind = "changed"
	NoticeCured   NoticeKind = "cured"
)

// The kinds of what people and the clock do, each told once.
const (
	NoticeAcknowledged NoticeKind = "acknowledged"
	NoticeContained    NoticeKind = "contained"
	NoticeEscalated    NoticeKind = "escalated" // nobody acknowledged it in time
	NoticeOverdue      NoticeKind = "overdue"   // nobody declared it over in time
	NoticeOver         NoticeKind = "over"
)

// owe puts a notice in the place of what is owed already: a chat that was away is told what
// is so now, not all that it missed.
func (r *Record) owe(kind NoticeKind) {
	if r.Owed != nil && r.Owed.Kind == NoticeFirst && kind == NoticeChanged {
		kind = NoticeFirst
	}
	n := r.notice(kind)
	r.Owed = &n
}

// notice says what is so now.
func (r *Record) notice(kind NoticeKind) Notice {
	n := Notice{Kind: kind, Organisation: r.Organisation, Campaign: r.Campaign, Places: len(r.open()), Gaps: r.Gaps.Problems, State: r.State}
	for _, at := range r.repositories() {
		if len(at.open) > 0 {
			n.Repositories++
		} else {
			n.Settled++
		}
	}
	return n
}
