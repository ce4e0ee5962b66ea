package slack

import (
	"fmt"
	"net/url"
	"regexp"
	"strings"

	"github.com/slack-go/slack"

	"github.com/wormsweep/wormsweep/internal/incident"
	"github.com/wormsweep/wormsweep/internal/report"
)

// heads say why a notice is sent.
var heads = map[incident.NoticeKind]string{
	incident.NoticeFirst:   "Supply-chain incident",
	incident.NoticeChanged: "Supply-chain incident changed",
	incident.NoticeCured:   "Supply-chain incident found clean",

	incident.NoticeAcknowledged: "Supply-chain incident acknowledged",
	incident.NoticeContained:    "Supply-chain incident contained",
	incident.NoticeEscalated:    "Supply-chain incident NOT acknowledged",
	incident.NoticeOverdue:      "Supply-chain incident not declared over",
	incident.NoticeOver:         "Supply-chain incident over",
}

// message is a notice as plain text, for lists and telephones, and as Slack shows it.
func message(n incident.Notice) (plain string, blocks []slack.Block) {
	head := heads[n.Kind]
	if head == "" {
		head = "Supply-chain incident"
	}
	campaign := escape(n.Campaign.ID)
	if n.Campaign.Severity != "" {
		campaign += " (" + escape(clip(n.Campaign.Severity, 40)) + ")"
	}
	var lines []string
	switch n.Kind {
	case incident.NoticeCured:
		lines = append(lines, fmt.Sprintf("Nothing is left of it in %s of %s.", count(n.Settled, "repository", "repositories"), escape(n.Organisation)))
	case incident.NoticeOver, incident.NoticeOverdue:
		lines = append(lines, fmt.Sprintf("It is one of %s.", escape(n.Organisation)))
	default:
		if n.Places+n.Settled == 0 { // signals alone
			lines = append(lines, fmt.Sprintf("It is one of %s.", escape(n.Organisation)))
			break
		}
		line := fmt.Sprintf("It is in %s of %s, at %s.", count(n.Repositories, "repository", "repositories"), escape(n.Organisation), count(n.Places, "place", "places"))
		if n.Settled > 0 {
			line += fmt.Sprintf(" %s settled since.", count(n.Settled, "repository is", "repositories are"))
		}
		lines = append(lines, line)
	}
	lines = append(lines, response(n)...)
	if n.Campaign.Title != "" {
		lines = append([]string{escape(n.Campaign.Title) + "."}, lines...)
	}
	if n.Gaps > 0 {
		lines = append(lines, fmt.Sprintf("Not all of it was looked at: %s.", count(n.Gaps, "problem", "problems")))
	}
	plain = head + ": " + campaign + ". " + strings.Join(lines, " ")
	marked := "*" + head + ": " + campaign + "*\n" + strings.Join(lines, "\n")
	if address := link(n.URL); address != "" {
		marked += "\n<" + address + "|The issue, with what to do first>"
	}
	// Verbatim: names of channels and people, and addresses, stay text.
	text := slack.NewTextBlockObject(slack.MarkdownType, marked, false, true)
	return plain, []slack.Block{slack.NewSectionBlock(text, nil, nil)}
}

// response says what people or the clock did.
func response(n incident.Notice) (lines []string) {
	if n.Role != "" {
		lines = append(lines, "For: "+escape(clip(n.Role, 30))+".")
	}
	if n.Who != "" {
		lines = append(lines, "By "+escape(clip(n.Who, 40))+".")
	}
	if n.Text != "" {
		lines = append(lines, "It was said: "+escape(clip(n.Text, 80)))
	}
	if n.State == incident.Cured && n.Kind == incident.NoticeCured {
		lines = append(lines, "Whoever is on call has to declare it over.")
	}
	return lines
}

// clip keeps a text short: Slack takes 3,000 characters of all, once each is escaped.
func clip(s string, most int) string {
	for i := range s {
		if i > most {
			return s[:i] + "..."
		}
	}
	return s
}

// escape makes text of s that Slack neither formats nor links: what could is percent-encoded,
// "&", "<" and ">" with it, by which Slack's own marks begin.
func escape(s string) string { return report.EscapeTitle(s) }

var plainAddress = regexp.MustCompile(`^https?://[A-Za-z0-9.:_-]+/[A-Za-z0-9/._-]+$`)

// link is the address of an issue, if it is one that Slack takes as it is.
func link(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.User != nil || !plainAddress.MatchString(address) || len(address) > 500 {
		return ""
	}
	return address
}

func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
