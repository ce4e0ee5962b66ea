package triage

import (
	"slices"
)

// check holds a tree to the rules that are about more than one of its nodes.
func (r *reader) check(t *Tree) {
	r.checkRoles(t)
	for i := range t.Nodes {
		n := &t.Nodes[i]
		if n.IsQuestion() {
			r.checkQuestion(t, n)
		} else {
			r.checkOutcome(t, n)
		}
	}
	r.checkBranch(t, "", "start", t.Start)
	if n := t.at[t.Otherwise]; n == nil || n.IsQuestion() || len(n.Page) == 0 || n.Scenario != Undecided {
		r.Fault(0, "otherwise is %q, and not an outcome that pages somebody and decides nothing", t.Otherwise)
	}
	if r.Faults() == 0 {
		r.checkWays(t)
	}
}

func (r *reader) checkRoles(t *Tree) {
	known := map[Role]bool{}
	for _, role := range t.Roles {
		known[role.ID] = true
	}
	check := func(id string, roles []Role) {
		for _, role := range roles {
			if !known[role] {
				r.nodeFault(id, "%q is no role", role)
			}
		}
	}
	for i := range t.Nodes {
		check(t.Nodes[i].ID, t.Nodes[i].Ask)
		check(t.Nodes[i].ID, t.Nodes[i].Page)
	}
	check("close", t.Close.Roles)
	if len(t.Close.Roles) == 0 || t.Close.Action == "" {
		r.Fault(0, "close does not say who may close, and what that takes")
	}
}

func (r *reader) checkQuestion(t *Tree, n *Node) {
	if n.Deadline == 0 {
		r.nodeFault(n.ID, "a question has a deadline")
	}
	if n.Auto.Data && !slices.Contains(DataQuestions, n.ID) {
		r.nodeFault(n.ID, "no data answers it")
	}
	for _, truth := range []Truth{Yes, No, Unknown} {
		r.checkBranch(t, n.ID, truth.String(), n.Branch(truth))
	}
	pages := false
	for _, id := range n.Unknown {
		if to := t.at[id]; to != nil && !to.IsQuestion() {
			pages = pages || len(to.Page) > 0
			if to.Scenario != Undecided { // unknown is never clean, and never a verdict
				r.nodeFault(n.ID, "unknown leads to %q, which decides something", id)
			}
		}
	}
	if !pages {
		r.nodeFault(n.ID, "unknown does not lead to an outcome that pages somebody")
	}
	if n.ID == Listed && !slices.Contains(n.Yes, CIInstalled) {
		r.nodeFault(n.ID, "yes does not ask %q: what is not ours may have run all the same", CIInstalled)
	}
}

func (r *reader) checkOutcome(t *Tree, n *Node) {
	if n.Scenario >= A && (len(n.Page) == 0 || n.Deadline == 0) {
		r.nodeFault(n.ID, "scenario %s pages nobody, or has no deadline", n.Scenario)
	}
	if len(n.Page) > 0 && n.Deadline == 0 {
		r.nodeFault(n.ID, "it pages somebody and has no deadline")
	}
	if len(n.Then) > 0 {
		r.checkBranch(t, n.ID, "then", n.Then)
	}
}

func (r *reader) checkBranch(t *Tree, from, what string, branch []string) {
	for _, id := range branch {
		if id == End && len(branch) == 1 && from != "" && what != "then" {
			continue
		}
		if t.at[id] == nil {
			r.Fault(r.lines[from], "%q of %q leads to %q, which is no node", what, from, id)
		}
	}
}

// checkWays looks that no way is a circle, and that a way leads to every node.
func (r *reader) checkWays(t *Tree) {
	const walking, done = 1, 2
	state := map[string]int{}
	var walk func(id string)
	walk = func(id string) {
		n := t.at[id]
		if n == nil || state[id] == done {
			return
		}
		if state[id] == walking {
			r.nodeFault(id, "a way leads back to it")
			return
		}
		state[id] = walking
		for _, to := range slices.Concat(n.Yes, n.No, n.Unknown, n.Then) {
			walk(to)
		}
		state[id] = done
	}
	for _, id := range append(slices.Clone(t.Start), t.Otherwise) {
		walk(id)
	}
	for i := range t.Nodes {
		if state[t.Nodes[i].ID] == 0 {
			r.nodeFault(t.Nodes[i].ID, "no way leads to it")
		}
	}
}
