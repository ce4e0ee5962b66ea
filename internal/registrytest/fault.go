package registrytest

import (
	"fmt"
	"net/http"
	"path"
	"strings"
	"time"
)

// Rule switches a fault on for some requests.
type Rule struct {
	Method string // "" is every method
	// Path is matched with the request's path as path.Match does, and also with its first
	// parts: "/npm/*" is for all of npm. "" is every path.
	Path  string
	Skip  int // the first so many matches are served
	Times int // so many matches fail; 0 is all
	Fault Fault
}

// Fault answers a request in another way. serve gives the true answer, which it may change; a
// fault that does not call it has the request neither carried out nor counted.
type Fault func(w http.ResponseWriter, r *http.Request, serve func() Answer)

type rule struct {
	Rule
	matches, failed int
}

// Break adds a rule. Of the rules that match a request the first is taken. The function that it
// gives takes the rule away again.
func (s *Server) Break(r Rule) (mend func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	added := &rule{Rule: r}
	s.rules = append(s.rules, added)
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		for i, r := range s.rules {
			if r == added {
				s.rules = append(s.rules[:i:i], s.rules[i+1:]...)
				return
			}
		}
	}
}

// due gives the fault that a request meets, or nil.
func (s *Server) due(r *http.Request) Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, rule := range s.rules {
		if rule.Method != "" && rule.Method != r.Method || rule.Path != "" && !matchPath(rule.Path, r.URL.Path) {
			continue
		}
		rule.matches++
		if rule.matches <= rule.Skip || rule.Times > 0 && rule.failed >= rule.Times {
			continue
		}
		rule.failed++
		return rule.Fault
	}
	return nil
}

func matchPath(pattern, name string) bool {
	parts := strings.Split(name, "/")
	n := min(len(parts), strings.Count(pattern, "/")+1)
	ok, err := path.Match(pattern, strings.Join(parts[:n], "/"))
	if err != nil {
		panic(err) // the test that wrote it is wrong
	}
	return ok
}

// Fails answers with a status and a body, and does nothing else.
func Fails(status int, contentType, body string) Fault {
	return func(w http.ResponseWriter, r *http.Request, _ func() Answer) {
		Answer{status, http.Header{"Content-Type": {contentType}}, []byte(body)}.send(w, r)
	}
}

// Limited answers with 429, and when to ask again; 0 does not say it.
func Limited(after time.Duration) Fault {
	return func(w http.ResponseWriter, r *http.Request, _ func() Answer) {
		if after > 0 {
			w.Header().Set("Retry-After", fmt.Sprint(int(after.Seconds())))
		}
		Answer{Status: http.StatusTooManyRequests, Header: http.Header{}}.send(w, r)
	}
}

// Edited sends the true answer with another body.
func Edited(edit func(body []byte) []byte) Fault {
	return func(w http.ResponseWriter, r *http.Request, serve func() Answer) {
		a := serve()
		if a.Status == http.StatusOK {
			a.Body = edit(a.Body)
		}
		a.Header.Del("Content-Length")
		a.send(w, r)
	}
}

// Damaged sends an answer of status 200 that is no JSON: the true one without its last bytes,
// at the right length.
func Damaged() Fault {
	return Edited(func(body []byte) []byte { return body[:len(body)-min(len(body), 3)] })
}

// Cut sends the first bytes of the true answer and ends the connection. By its Content-Length
// there should be more.
func Cut(keep int) Fault {
	return func(w http.ResponseWriter, r *http.Request, serve func() Answer) {
		a := serve()
		a.Header.Set("Content-Length", fmt.Sprint(max(keep+1, len(a.Body))))
		a.Body = a.Body[:min(keep, len(a.Body))]
		a.send(w, r)
		flush(w)
		panic(http.ErrAbortHandler)
	}
}

// Reset ends the connection without an answer.
func Reset() Fault {
	return func(http.ResponseWriter, *http.Request, func() Answer) { panic(http.ErrAbortHandler) }
}

// LyingLength sends the true answer with a Content-Length that is off by so many bytes: where it
// is more the body ends early, and where it is less it is cut by the protocol.
func LyingLength(off int) Fault {
	return func(w http.ResponseWriter, r *http.Request, serve func() Answer) {
		a := serve()
		length := max(0, len(a.Body)+off)
		a.Header.Set("Content-Length", fmt.Sprint(length))
		a.Body = a.Body[:min(length, len(a.Body))]
		a.send(w, r)
	}
}

// Endless sends the true answer and goes on with blanks, up to so many bytes: 0 is until nobody
// reads them.
func Endless(most int64) Fault {
	return func(w http.ResponseWriter, r *http.Request, serve func() Answer) {
		a := serve()
		a.Header.Del("Content-Length")
		for name, values := range a.Header {
			w.Header()[name] = values
		}
		w.WriteHeader(a.Status)
		_, err := w.Write(a.Body)
		blanks := []byte(strings.Repeat(" ", 32<<10))
		for sent := int64(0); err == nil && (most == 0 || sent < most); sent += int64(len(blanks)) {
			_, err = w.Write(blanks)
		}
	}
}

// Slow sends the true answer a few bytes at a time.
func (s *Server) Slow(bytes int, each time.Duration) Fault {
	return func(w http.ResponseWriter, r *http.Request, serve func() Answer) {
		a := serve()
		for name, values := range a.Header {
			w.Header()[name] = values
		}
		w.Header().Set("Content-Length", fmt.Sprint(len(a.Body)))
		w.WriteHeader(a.Status)
		for body := a.Body; len(body) > 0; {
			n := min(bytes, len(body))
			if _, err := w.Write(body[:n]); err != nil {
				return
			}
			flush(w)
			body = body[n:]
			s.pause(r, each)
			select {
			case <-r.Context().Done():
				return
			case <-s.ended:
				return
			default:
			}
		}
	}
}

// Silent takes the request and says nothing.
func (s *Server) Silent() Fault {
	return func(_ http.ResponseWriter, r *http.Request, _ func() Answer) {
		select {
		case <-r.Context().Done():
		case <-s.ended:
		}
	}
}

// Redirected sends the client elsewhere.
func Redirected(to string) Fault {
	return func(w http.ResponseWriter, r *http.Request, _ func() Answer) {
		http.Redirect(w, r, to, http.StatusFound)
	}
}

func flush(w http.ResponseWriter) {
	if f, ok := w.(http.Flusher); ok {
		f.Flush()
	}
}
