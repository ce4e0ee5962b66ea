// Package schematest holds recordings of the simulator of GitHub against what GitHub itself
// publishes: the OpenAPI description of its REST API and the schema of its GraphQL API. So
// the simulator does not drift from what it simulates, and the product sends what GitHub
// takes.
//
// It is a module of its own: its libraries are of no use to the product.
// scripts/schema-check.sh installs the descriptions, lets the tests of the product and of
// the simulator write recordings, and runs the test of this package.
package schematest

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
)

// Exchange is one line of a recording. It is githubtest.Recorded.
type Exchange struct {
	Method string      `json:"method"`
	URL    string      `json:"url"`
	Route  string      `json:"route"`
	Header http.Header `json:"header"`
	Body   string      `json:"body"`
	Fault  bool        `json:"fault"`

	Status       int         `json:"status"`
	AnswerHeader http.Header `json:"answer_header"`
	Answer       string      `json:"answer"`

	file string
}

// restRoot is where REST begins in the layout of GitHub Enterprise Server.
const restRoot = "/api/v3"

// Read reads the recordings in a folder, but for what was answered wrongly on purpose.
func Read(dir string) ([]Exchange, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.jsonl"))
	if err != nil {
		return nil, err
	}
	var all []Exchange
	for _, file := range files {
		f, err := os.Open(file)
		if err != nil {
			return nil, err
		}
		lines := bufio.NewScanner(f)
		lines.Buffer(nil, 64<<20)
		for lines.Scan() {
			e := Exchange{file: filepath.Base(file)}
			if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
				f.Close()
				return nil, fmt.Errorf("%q: %w", file, err)
			}
			if !e.Fault && e.Route != "" {
				all = append(all, e)
			}
		}
		f.Close()
		if err := lines.Err(); err != nil {
			return nil, fmt.Errorf("%q: %w", file, err)
		}
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("%q holds no recording: a check of it would pass in silence", dir)
	}
	return all, nil
}
