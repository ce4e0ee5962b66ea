package cli

import (
	"bytes"
	"encoding/json"
	"io"

	"github.com/wormsweep/wormsweep/internal/report"
)

// writeJSONLine writes v on one line.
func writeJSONLine(w io.Writer, v any) error { return writeJSON(w, v, "") }

// writeJSON writes v, each level of it indented by indent. Whatever a viewer could act on stands
// as an escape: names and paths come from elsewhere.
func writeJSON(w io.Writer, v any, indent string) error {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", indent)
	if err := enc.Encode(v); err != nil {
		return err
	}
	_, err := w.Write(report.EscapeJSON(b.Bytes()))
	return err
}
