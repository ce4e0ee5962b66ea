package appevent

import (
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// Time is a time as events have it: text, or seconds since 1970 in a push. It is zero where there
// is none, or one of no meaning: GitHub shows the year 1 for containers.
type Time struct{ time.Time }

// UnmarshalJSONFrom never fails: no decision hangs on a time that somebody else wrote.
func (t *Time) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	t.Time = time.Time{}
	switch dec.PeekKind() {
	case '"':
		token, err := dec.ReadToken()
		if err != nil {
			return err
		}
		if at, err := time.Parse(time.RFC3339, token.String()); err == nil && at.Year() > 1 {
			t.Time = at.UTC()
		}
		return nil
	case '0':
		token, err := dec.ReadToken()
		if err != nil {
			return err
		}
		const year10000 = 253402300800
		if seconds, err := token.Int(); err == nil && 0 < seconds && seconds < year10000 {
			t.Time = time.Unix(seconds, 0).UTC()
		}
		return nil
	}
	return dec.SkipValue()
}
