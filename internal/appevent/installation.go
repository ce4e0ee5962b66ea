package appevent

// Installation is an App that was installed, suspended or removed, or that was given other
// permissions.
type Installation struct {
	Common
	Which *struct {
		ID          int64             `json:"id"`
		AppID       int64             `json:"app_id"`
		Account     *Account          `json:"account"`
		Permissions map[string]string `json:"permissions"`
		Events      []string          `json:"events"`
		Selection   string            `json:"repository_selection"` // "all" or "selected"
		SuspendedAt Time              `json:"suspended_at"`
	} `json:"installation"`
}

// InstallationID is the installation that is named.
func (e *Installation) InstallationID() int64 { return e.Which.ID }

func (e *Installation) check(c *checker) {
	c.action(&e.Common)
	if e.Which == nil || e.Which.Account == nil {
		c.fail("no installation")
		return
	}
	c.id("installation", e.Which.ID)
	c.id("app_id", e.Which.AppID)
	c.id("account", e.Which.Account.ID)
	if e.Installation == nil {
		e.Installation = &Installed{ID: e.Which.ID}
	}
}

// InstallationRepositories is repositories that an installation got or lost.
type InstallationRepositories struct {
	Common
	Selection string    `json:"repository_selection"`
	Added     []Brief   `json:"repositories_added"`
	Removed   []Brief   `json:"repositories_removed"`
	Which     *struct { // the whole installation
		ID      int64    `json:"id"`
		AppID   int64    `json:"app_id"`
		Account *Account `json:"account"`
	} `json:"installation"`
}

// Brief is a repository in brief.
type Brief struct {
	ID       int64  `json:"id"`
	FullName string `json:"full_name"`
	Private  bool   `json:"private"`
}

func (e *InstallationRepositories) check(c *checker) {
	c.action(&e.Common)
	if e.Which == nil {
		c.fail("no installation")
		return
	}
	c.id("installation", e.Which.ID)
	if e.Installation == nil {
		e.Installation = &Installed{ID: e.Which.ID}
	}
	for _, list := range [][]Brief{e.Added, e.Removed} {
		for i := range list {
			c.id("repository", list[i].ID)
		}
	}
}

// InstallationTarget is an account with an installation that has another name.
type InstallationTarget struct {
	Common
	Account *Account `json:"account"`
	Target  string   `json:"target_type"`
}

func (e *InstallationTarget) check(c *checker) {
	c.action(&e.Common)
	if e.Account == nil {
		c.fail("no account")
		return
	}
	c.id("account", e.Account.ID)
	if e.Installation == nil {
		c.fail("no installation")
	}
}

// GitHubAppAuthorization is a person who took back what they had let the App do.
type GitHubAppAuthorization struct{ Common }

func (e *GitHubAppAuthorization) check(c *checker) {
	if e.Action != "revoked" {
		c.fail("action %.80q is none of an authorisation", e.Action)
	}
	if e.Sender == nil {
		c.fail("no sender")
	}
}

// Meta is the webhook itself that was deleted.
type Meta struct {
	Common
	HookID int64 `json:"hook_id"`
	Hook   *Hook `json:"hook"`
}

// Ping greets a webhook.
type Ping struct {
	Common
	Zen    string `json:"zen"`
	HookID int64  `json:"hook_id"`
	Hook   *Hook  `json:"hook"`
}

// Hook is a webhook. Its address and its secret are not read.
type Hook struct {
	ID     int64    `json:"id"`
	Type   string   `json:"type"` // "App", "Organization", "Repository"
	AppID  int64    `json:"app_id"`
	Active bool     `json:"active"`
	Events []string `json:"events"`
}

func (e *Meta) check(c *checker) {
	c.action(&e.Common)
	c.id("hook_id", e.HookID)
}

func (e *Ping) check(c *checker) { c.id("hook_id", e.HookID) }

// PersonalAccessTokenRequest is a person's token that asks for rights in the organisation.
type PersonalAccessTokenRequest struct {
	Common
	Request *struct {
		ID        int64    `json:"id"`
		Owner     *Account `json:"owner"`
		TokenID   int64    `json:"token_id"`
		TokenName string   `json:"token_name"`
		Selection string   `json:"repository_selection"`
		Expired   bool     `json:"token_expired"`
		Expires   Time     `json:"token_expires_at"`
		LastUsed  Time     `json:"token_last_used_at"`
	} `json:"personal_access_token_request"`
}

func (e *PersonalAccessTokenRequest) check(c *checker) {
	c.action(&e.Common)
	if e.Request == nil {
		c.fail("no personal_access_token_request")
		return
	}
	c.id("personal_access_token_request", e.Request.ID)
	if e.Request.Owner != nil {
		c.account("owner", e.Request.Owner)
	}
}
