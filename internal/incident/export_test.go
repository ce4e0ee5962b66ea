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
