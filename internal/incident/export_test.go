package incident

import "context"

// SetVerdict puts a verdict into an incident whose words no tree has.
func (d *Desk) SetVerdict(ctx context.Context, id string, v Verdict) error {
	_, err := d.change(ctx, id, nil, func(rec *Record) error {
		rec.setVerdict(v, d.opt.Now().UTC())
		return nil
	})
	return err
}

// PutPlan is SetPlan over whichever plan is there.
func (d *Desk) PutPlan(ctx context.Context, id string, p PlanRef) error {
	rec, err := d.Incident(ctx, id)
	if err != nil {
		return err
	}
	return d.SetPlan(ctx, id, rec.Response.Plan, p)
}
