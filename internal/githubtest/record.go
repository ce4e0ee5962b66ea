package githubtest

import (
	"encoding/json"
	"io"
	"net/http"
	"sync"
	"unicode/utf8"
)

// Recorded is one line of a recording: a request to REST or GraphQL with its answer. The
// Authorization header is left out, and so are bodies that are not text, and long ones that were
// made to be wrong.
type Recorded struct {
	Method string      `json:"method"`
	URL    string      `json:"url"`   // below BASE, with its query
	Route  string      `json:"route"` // the pattern that it matched
	Header http.Header `json:"header"`
	Body   string      `json:"body,omitempty"`
	Fault  bool        `json:"fault,omitempty"` // the answer was made to be wrong

	Status       int         `json:"status"`
	AnswerHeader http.Header `json:"answer_header"`
	Answer       string      `json:"answer,omitempty"`
}

// maxFaultRecorded is the longest answer of a fault that is recorded, in bytes: nobody holds it
// against anything.
const maxFaultRecorded = 64 << 10

// recorder writes a recording.
type recorder struct {
	mu  sync.Mutex
	out *json.Encoder
}

// Record writes every later request to REST and GraphQL to w, as JSON Lines of Recorded.
func (s *Server) Record(w io.Writer) {
	s.recorder.mu.Lock()
	defer s.recorder.mu.Unlock()
	s.recorder.out = json.NewEncoder(w)
}

func (r *recorder) record(e *Exchange) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.out == nil || e.Kind == Git {
		return
	}
	header := e.Request.Header.Clone()
	header.Del("Authorization")
	line := Recorded{
		Method: e.Request.Method, URL: e.Request.URL.RequestURI(), Route: e.route, Header: header, Fault: e.faulty,
		Status: e.Status, AnswerHeader: e.Header,
	}
	if utf8.Valid(e.Body) {
		line.Body = string(e.Body)
	}
	if utf8.Valid(e.Answer.Bytes()) && (!e.faulty || e.Answer.Len() <= maxFaultRecorded) {
		line.Answer = e.Answer.String()
	}
	if err := r.out.Encode(line); err != nil {
		e.server.violation("recording: %v", err)
	}
}

// webhook writes a delivery: its route is "webhook" with the event and the action, and its body
// the payload.
func (r *recorder) webhook(s *Server, d *Delivery) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.out == nil {
		return
	}
	route := "webhook " + d.Event
	if d.Action != "" {
		route += " " + d.Action
	}
	line := Recorded{Method: http.MethodPost, Route: route, Header: d.header, Body: string(d.Body), Status: d.Status}
	if err := r.out.Encode(line); err != nil {
		s.violation("recording: %v", err)
	}
}
