package githubtest

import (
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"regexp"
	"slices"
	"time"

	"github.com/wormsweep/wormsweep/internal/githubtest/gitstore"
)

// PrimaryLimited answers as when the points of the hour are spent, with 403 or 429.
func PrimaryLimited(status int, told Told) Fault {
	return func(e *Exchange) {
		e.server.mu.Lock()
		defer e.server.mu.Unlock()
		e.primaryLimit(status, told)
	}
}

// SecondaryLimited answers as when too much was asked at once: with 403 or 429, and from
// GraphQL also with 200. documentation is where the error points; an empty one is today's address.
func SecondaryLimited(status int, told Told, documentation string) Fault {
	if documentation == "" {
		documentation = secondaryDocumentation
	}
	return func(e *Exchange) {
		e.server.mu.Lock()
		defer e.server.mu.Unlock()
		e.secondaryLimit(status, told, documentation)
	}
}

// GraphQLLimited answers with 200 and an error of one of the types that GitHub was seen to
// send, "RATE_LIMITED" or "RATE_LIMIT".
func GraphQLLimited(typ string, told Told) Fault {
	return func(e *Exchange) {
		e.server.mu.Lock()
		defer e.server.mu.Unlock()
		e.graphQLLimit(typ, told)
	}
}

// GraphQLPartial answers with part of the data and an error: of every list of nodes, those
// from number keep on are null.
func GraphQLPartial(keep int) Fault {
	return func(e *Exchange) {
		e.Serve()
		e.change(func(answer map[string]any) {
			cutNodes(answer["data"], keep)
			answer["errors"] = []any{map[string]any{
				"type": "RESOURCE_LIMITS_EXCEEDED", "message": "Resource limits for this query exceeded.",
			}}
		})
	}
}

// GraphQLLacks answers without the fields of those names or aliases, and with an error for each.
func GraphQLLacks(names ...string) Fault {
	return func(e *Exchange) {
		e.Serve()
		e.change(func(answer map[string]any) {
			var errors []any
			lackFields(answer["data"], nil, names, func(path []any) {
				errors = append(errors, map[string]any{"message": "Something went wrong.", "path": path})
			})
			if len(errors) > 0 {
				answer["errors"] = errors
			}
		})
	}
}

func lackFields(v any, at []any, names []string, lacks func(path []any)) {
	fields, ok := v.(map[string]any)
	if !ok {
		return
	}
	for name, value := range fields {
		path := append(slices.Clone(at), name)
		if slices.Contains(names, name) {
			fields[name] = nil
			lacks(path)
			continue
		}
		lackFields(value, path, names, lacks)
	}
}

func cutNodes(v any, keep int) {
	switch v := v.(type) {
	case map[string]any:
		if nodes, ok := v["nodes"].([]any); ok {
			for i := min(keep, len(nodes)); i < len(nodes); i++ {
				nodes[i] = nil
			}
		}
		for _, item := range v {
			cutNodes(item, keep)
		}
	case []any:
		for _, item := range v {
			cutNodes(item, keep)
		}
	}
}

// Fails answers with a status, a content type and a body, and does nothing else.
func Fails(status int, contentType, body string) Fault {
	return func(e *Exchange) {
		e.Status = status
		e.Header.Set("Content-Type", contentType)
		e.Answer.Reset()
		e.Answer.WriteString(body)
	}
}

// BadGateway answers as GitHub does when a request took too long.
func BadGateway() Fault {
	return Fails(http.StatusBadGateway, "application/json; charset=utf-8", `{"message":"Server Error"}`)
}

// TimeoutOver answers as BadGateway when a GraphQL query asks for more than n nodes: by ids,
// or as pages of connections.
func TimeoutOver(n int) Fault {
	return func(e *Exchange) {
		e.Serve()
		var request struct{ Variables map[string]any }
		asked := e.nodes
		if json.Unmarshal(e.Body, &request) == nil {
			for _, v := range request.Variables {
				if ids, ok := v.([]any); ok {
					asked = max(asked, len(ids))
				}
			}
		}
		if asked > n {
			BadGateway()(e)
		}
	}
}

// Unavailable answers with 503 and the page that GitHub's front shows.
func Unavailable() Fault {
	return Fails(http.StatusServiceUnavailable, "text/html", "<html><body>Unicorn! We're having a really bad day.</body></html>")
}

// HTMLPage answers with 200 and a page, as a proxy does that wants a login.
func HTMLPage() Fault {
	return Fails(http.StatusOK, "text/html; charset=utf-8", "<!DOCTYPE html><html><body>Please sign in.</body></html>")
}

// NotFound answers with 404.
func NotFound() Fault {
	return func(e *Exchange) { e.fail(http.StatusNotFound, "Not Found") }
}

// CutJSON answers with the beginning of the true body as if it were whole.
func CutJSON() Fault {
	return func(e *Exchange) {
		e.Serve()
		e.Answer.Truncate(e.Answer.Len() / 2)
	}
}

// CutBody closes the connection in the middle of the body; with reset it is reset.
func CutBody(reset bool) Fault {
	return func(e *Exchange) {
		e.Serve()
		e.Cut, e.Reset = e.Answer.Len()/2, reset
	}
}

// Dropped does what was asked and closes the connection before anything of the answer is
// sent: the client cannot know that it was done.
func Dropped() Fault {
	return func(e *Exchange) {
		e.Serve()
		e.Drop = true
	}
}

// SlowBody sends the body in pieces of n bytes with a pause before each.
func SlowBody(n int, pause time.Duration) Fault {
	return func(e *Exchange) {
		e.Serve()
		e.SlowBytes, e.Slow = n, pause
	}
}

// First does something, as rename a repository, before it serves.
func First(do func()) Fault {
	return func(e *Exchange) {
		do()
		e.Serve()
	}
}

var nextLink = regexp.MustCompile(`([?&]page=)\d+([^>]*>; rel="next")`)

// LoopPages makes the link to the next page lead to the first one, in REST and in GraphQL.
// A list of one page has the link too.
func LoopPages() Fault {
	return func(e *Exchange) {
		e.Serve()
		if e.Kind == GraphQL {
			e.change(loopCursors)
			return
		}
		if link := e.Header.Get("Link"); nextLink.MatchString(link) {
			e.Header.Set("Link", nextLink.ReplaceAllString(link, "${1}1${2}"))
			return
		}
		e.Header.Set("Link", "<"+e.server.base+e.Request.URL.RequestURI()+`>; rel="next"`)
	}
}

func loopCursors(v map[string]any) {
	for name, item := range v {
		object, ok := item.(map[string]any)
		if !ok {
			continue
		}
		if name == "pageInfo" {
			object["hasNextPage"], object["endCursor"] = true, cursor("")
		}
		loopCursors(object)
	}
}

// TruncateTree cuts recursive trees after n entries.
func TruncateTree(n int) Fault {
	return func(e *Exchange) {
		e.Serve()
		if !e.Request.URL.Query().Has("recursive") {
			return
		}
		e.change(func(answer map[string]any) {
			if entries, ok := answer["tree"].([]any); ok && len(entries) > n {
				answer["tree"], answer["truncated"] = entries[:n], true
			}
		})
	}
}

// WrongBlob answers with the content of a blob changed in one byte.
func WrongBlob() Fault {
	return func(e *Exchange) {
		e.Serve()
		e.change(func(answer map[string]any) {
			text, _ := answer["content"].(string)
			if data, err := base64.StdEncoding.DecodeString(text); err == nil && len(data) > 0 {
				data[0] ^= 1
				answer["content"] = wrapped(data)
			}
		})
	}
}

// OmitObjects leaves objects out of packs: those that are reported so.
func OmitObjects(omit func(id gitstore.ID) bool) Fault {
	return func(e *Exchange) {
		e.Git.Omit = omit
		e.Serve()
	}
}

// ErrorPacket answers a request of git's with an ERR packet.
func ErrorPacket(message string) Fault {
	return func(e *Exchange) {
		e.Git.Error = message
		e.Serve()
	}
}

// CutPack ends packs after n bytes, in well-formed packets.
func CutPack(n int) Fault {
	return alterPack(func(at int, data []byte) []byte { return data[:max(0, min(len(data), n-at))] })
}

// CorruptPack changes the byte at an offset of packs.
func CorruptPack(offset int) Fault {
	return alterPack(func(at int, data []byte) []byte {
		if i := offset - at; i >= 0 && i < len(data) {
			data = append([]byte(nil), data...)
			data[i] ^= 0x55
		}
		return data
	})
}

// alterPack changes what is written of a pack, at an offset of it.
func alterPack(change func(at int, data []byte) []byte) Fault {
	return func(e *Exchange) {
		e.Git.Alter = func(pack io.Writer) io.Writer { return &altered{w: pack, change: change} }
		e.Serve()
	}
}

type altered struct {
	w      io.Writer
	at     int
	change func(at int, data []byte) []byte
}

func (a *altered) Write(data []byte) (int, error) {
	_, err := a.w.Write(a.change(a.at, data))
	a.at += len(data)
	return len(data), err
}

// change changes an answer that is a JSON object.
func (e *Exchange) change(change func(answer map[string]any)) {
	var answer map[string]any
	if json.Unmarshal(e.Answer.Bytes(), &answer) != nil {
		return // it is an error already, or no object
	}
	change(answer)
	e.json(answer)
}
