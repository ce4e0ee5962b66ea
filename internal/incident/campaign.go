package incident

import "github.com/wormsweep/wormsweep/pkg/ioc"

// Campaign is what the catalogue says of a campaign.
type Campaign struct {
	ID         string   `json:"id"`
	Title      string   `json:"title,omitempty"`
	Severity   string   `json:"severity,omitempty"`
	FirstSeen  string   `json:"first_seen,omitempty"` // when it was first seen anywhere
	LastSeen   string   `json:"last_seen,omitempty"`
	References []string `json:"references,omitempty"` // addresses
}

// CampaignOf takes a campaign from its pack.
func CampaignOf(p *ioc.Pack) Campaign {
	c := Campaign{ID: p.ID, Title: p.Title, Severity: string(p.Severity), FirstSeen: p.FirstSeen, LastSeen: p.LastSeen}
	for _, r := range p.References {
		c.References = append(c.References, r.URL)
	}
	return c
}
