package incident

// decide finds the transition from the state of the issue and what changed.
func (p *planner) decide() {
	rec, issue, news := p.rec, p.in.Issue, p.changes.news()
	reopening := rec.Response.Reopening
	rec.Response.Reopening = false
	p.logChanges()
	p.rec.Response.Closing = p.rec.Response.Closing && !news // found after a person resolved it
	switch {
	case issue == nil:
		if rec.live() && (rec.State != Dismissed || news) {
			p.goOn()
			rec.Insisted = false
			p.create()
		}
		rec.Response.Closing = false
	case issue.Open && rec.Response.Closing:
		p.resolve()
	case issue.Open:
		p.open()
	case reopening:
		p.reopen()
	case news || p.head.state == markClosed && p.found():
		if !rec.State.over() {
			rec.must(Dismissed, p.in.act(ByHand)) // closed by a person, meanwhile
		}
		p.goOn()
		rec.Insisted = false
		p.reopen()
	case rec.Response.Closing:
		rec.Response.Closing = false // we closed it, and did not come to write that down
	case p.head.state == markClosed:
		p.proven() // as well
	case rec.State != Dismissed:
		if rec.State == Closed { // the text is not as we left it
			rec.must(Open, p.in.act(ByHand))
		}
		rec.must(Dismissed, p.in.act(ByHand))
		rec.Lost, rec.Dropped = false, 0
	default:
		rec.Lost, rec.Dropped = false, 0
	}
}

// open goes on with an issue that is open.
func (p *planner) open() {
	rec, news := p.rec, p.changes.news()
	if rec.State == Closed && p.head.state == markClosed {
		rec.Insisted = true // a person opened it again
	}
	if news {
		rec.Insisted = false
		p.reopened = rec.State.over() // by a run that did not come to write that down
	}
	switch {
	case rec.State == Contained && news:
		rec.must(Acknowledged, p.in.act(BySweep))
	case rec.State.over() && !news:
		rec.must(Open, p.in.act(ByHand))
	case rec.State.over() || rec.State == Cured && news:
		p.goOn()
	}
	switch {
	case !rec.cured() || p.in.Sweep == nil:
		p.update()
	case rec.needsPerson():
		if rec.State != Cured {
			rec.must(Cured, p.in.act(BySweep))
		}
		p.update()
	default:
		p.proven()
		p.close()
	}
}

// goOn takes an incident that was over, or proven gone, up again.
func (p *planner) goOn() {
	if p.rec.State.over() || p.rec.State == Cured {
		p.rec.must(Open, p.in.act(BySweep))
	}
}

// proven takes an incident to its end with the proof of the sweep.
func (p *planner) proven() {
	if p.rec.State.over() {
		if p.rec.State == Closed {
			return
		}
		p.rec.must(Open, p.in.act(ByHand))
	}
	if p.rec.State != Cured {
		p.rec.must(Cured, p.in.act(BySweep))
	}
	p.rec.must(Closed, p.in.act(BySweep))
}

// live reports whether there is anything to be dealt with.
func (r *Record) live() bool {
	return len(r.open()) > 0 || len(r.Response.Signals) > 0 && !r.State.over()
}

// cured reports whether everything that was ever found is settled, and nothing is known to be
// missing.
func (r *Record) cured() bool {
	return len(r.Places) > 0 && len(r.open()) == 0 && !r.Lost && r.Dropped == 0 && !r.Insisted
}

// found reports whether the sweep found the campaign.
func (p *planner) found() bool {
	return p.in.Sweep != nil && len(p.in.Sweep.findings[p.rec.Campaign.ID]) > 0
}
