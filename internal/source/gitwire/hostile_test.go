package gitwire_test

import (
	"bytes"
	"compress/zlib"
	"context"
	"crypto/sha1"
	"encoding/binary"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/wormsweep/wormsweep/internal/source/gitobject"
	"github.com/wormsweep/wormsweep/internal/source/gitwire"
	"github.com/wormsweep/wormsweep/internal/xtest"
)

// Types of pack entries (gitformat-pack).
const (
	typeTree     = 2
	typeBlob     = 3
	typeOfsDelta = 6
	typeRefDelta = 7
)

// packWriter writes a pack, with whatever entries it is told.
type packWriter struct {
	bytes.Buffer
	count int
}

func newPack() *packWriter {
	w := &packWriter{}
	w.WriteString("PACK\x00\x00\x00\x02\x00\x00\x00\x00")
	return w
}

// add writes an entry: its type, the length that it says, what stands before its deflated
// content (the base of a difference), and that. It gives the entry's offset.
func (w *packWriter) add(kind byte, length int, base, deflated string) int {
	offset := w.Len()
	w.count++
	c := kind<<4 | byte(length&15)
	for length >>= 4; length > 0; length >>= 7 {
		w.WriteByte(c | 0x80)
		c = byte(length & 0x7f)
	}
	w.WriteByte(c)
	w.WriteString(base + deflated)
	return offset
}

func (w *packWriter) blob(content string) gitobject.ID {
	w.add(typeBlob, len(content), "", deflate(content))
	return blobID(content)
}

// pack is the whole pack, which says that it has count entries.
func (w *packWriter) pack(count int) string {
	data := bytes.Clone(w.Bytes())
	binary.BigEndian.PutUint32(data[8:], uint32(count))
	sum := sha1.Sum(data)
	return string(data) + string(sum[:])
}

func (w *packWriter) String() string { return w.pack(w.count) }

func blobID(content string) gitobject.ID {
	return sha1.Sum(fmt.Appendf(nil, "blob %d\x00%s", len(content), content))
}

func deflate(s string) string {
	var b bytes.Buffer
	z := zlib.NewWriter(&b)
	if _, err := z.Write([]byte(s)); err != nil {
		panic(err)
	}
	if err := z.Close(); err != nil {
		panic(err)
	}
	return b.String()
}

// ofs encodes the distance back to a base.
func ofs(distance int) string {
	b := []byte{byte(distance & 0x7f)}
	for distance >>= 7; distance > 0; distance >>= 7 {
		distance--
		b = append([]byte{byte(distance&0x7f) | 0x80}, b...)
	}
	return string(b)
}

// delta is the text of a difference: its two lengths and its instructions.
func delta(base, result int, instructions string) string {
	b := binary.AppendUvarint(nil, uint64(base))
	return string(binary.AppendUvarint(b, uint64(result))) + instructions
}

// copies are instructions that copy the first size bytes of a base.
func copies(size int) string {
	d := ""
	for left := size; left > 0; left -= min(left, 0xffffff) {
		c := min(left, 0xffffff)
		d += "\xf0" + string([]byte{byte(c), byte(c >> 8), byte(c >> 16)})
	}
	return d
}

func pkt(content string) string { return fmt.Sprintf("%04x%s", len(content)+4, content) }

// answer is an answer to a fetch with a pack.
func answer(pack string) string {
	out := pkt("packfile\n")
	for len(pack) > 0 {
		n := min(len(pack), 60_000)
		out += pkt("\x01" + pack[:n])
		pack = pack[n:]
	}
	return out + "0000"
}

// says serves one answer to every request.
func says(t testing.TB, body string) string {
	t.Helper()
	return handles(t, func(w http.ResponseWriter) { io.WriteString(w, body) })
}

func handles(t testing.TB, f func(w http.ResponseWriter)) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/x-git-upload-pack-result")
		f(w)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// Answers that are no answer are one clear error each.
func TestHostileAnswers(t *testing.T) {
	sound := newPack()
	id := sound.blob("x")
	p := sound.String()
	large := newPack()
	large.blob("longer than an entry at least, 1234567890")
	twice := newPack()
	twice.blob("x")
	twice.blob("x")
	for _, tt := range []struct{ name, body, want string }{
		{"sound", answer(p), ""},
		{"sections before it", pkt("shallow-info\n") + pkt("shallow 1\n") + "0001" + answer(p), ""},
		{"progress", pkt("packfile\n") + pkt("\x02Counting") + pkt("\x01") + pkt("\x01"+p[:5]) + pkt("\x02x") + pkt("\x01"+p[5:]) + "0000", ""},
		{"ended by 0002", strings.TrimSuffix(answer(p), "0000") + "0002", ""},
		{"nothing", "", "an empty answer"},
		{"ERR", pkt("ERR upload-pack: not our business\n"), `the server says "upload-pack: not our business"`},
		{"ERR with an escape", pkt("ERR \x1b[31m\u202e"), `the server says "\x1b[31m\u202e"`},
		{"an error on the band", pkt("packfile\n") + pkt("\x03fatal: out of memory\n") + "0000", `the server says "fatal: out of memory\n"`},
		{"an unknown band", pkt("packfile\n") + pkt("\x04x") + "0000", "unknown band 4"},
		{"no length", "what", `a line whose length is "what"`},
		{"the length 3", "0003", "a line of the length 3"},
		{"a length over all", "ffff" + strings.Repeat("x", 0xffff), "a line of the length 65535"},
		{"HTML", "<html>no</html>", "a line whose length is"},
		{"version 0", pkt("NAK\n") + p, `the section "NAK"`},
		{"no pack", "0000", "an answer without a pack"},
		{"a section and no pack", pkt("shallow-info\n") + "0000", "an answer without a pack, after"},
		{"a section after the pack", strings.TrimSuffix(answer(p), "0000") + "0001", "followed by another section"},
		{"URIs", pkt("packfile-uris\n") + pkt("x") + "0001" + answer(p), `the section "packfile-uris"`},
		{"progress without end", pkt("packfile\n") + strings.Repeat(pkt("\x02"+strings.Repeat("x", 1000)), 5000) + answer(p), "of progress"},
		{"lines without content", pkt("packfile\n") + strings.Repeat("0004", 1_100_000) + answer(p), "of progress"},
		{"lines of shallow without end", pkt("shallow-info\n") + strings.Repeat(pkt("shallow 1"), 500_000) + "0001" + answer(p), "of progress"},
		{"an empty pack", answer(newPack().String()), "the server did not send it"},
		{"no bytes of a pack", pkt("packfile\n") + "0000", "the head of the pack"},
		{"no pack at all", answer("what is this?"), "the head of the pack"},
		{"more entries said than there", answer(large.pack(2)), "entry 2 of 2 of the pack"},
		{"less entries said than there", answer(sound.pack(0)), "the end of the pack"},
		{"four thousand million entries", answer(sound.pack(1<<32 - 1)), "4294967295 objects in a pack"},
		{"a million entries", answer(sound.pack(1 << 20)), "the pack says that it holds 1048576 objects"},
		{"another checksum", answer(p[:len(p)-1] + "?"), "the end of the pack"},
		{"bytes after the pack", answer(p + "more"), "the pack ends at byte"},
		{"an object twice", answer(twice.String()), "twice"},
		{"another object", answer(large.String()), "the server did not send it"},
	} {
		r := remote(t, says(t, tt.body), gitwire.Options{})
		err := r.FetchBlobs(context.Background(), []gitobject.ID{id})
		switch {
		case tt.want == "":
			if content, readErr := r.Read(id, gitobject.Blob, 10, nil); err != nil || string(content) != "x" || readErr != nil {
				t.Errorf("%s: %v, %q, %v", tt.name, err, content, readErr)
			}
		case err == nil || !strings.Contains(err.Error(), tt.want) || strings.ContainsAny(err.Error(), "\n\x1b"):
			t.Errorf("%s: %v; want one line with %q", tt.name, err, tt.want)
		case !r.Tried(id):
			t.Errorf("%s: the object is not said to have failed", tt.name)
		default:
			if _, err := r.Read(id, gitobject.Blob, 10, nil); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%s: Read: %v; want the same reason", tt.name, err)
			}
		}
	}
}

// Wherever an answer is cut, nothing of it is believed.
func TestCut(t *testing.T) {
	w := newPack()
	id := w.blob(strings.Repeat("some content ", 10))
	base := w.Len()
	w.blob("another")
	d := delta(7, 3, "\x90\x03")
	w.add(typeOfsDelta, len(d), ofs(w.Len()-base), deflate(d))
	body := answer(w.String())
	for n := range len(body) {
		r := remote(t, says(t, body[:n]), gitwire.Options{})
		if err := r.FetchBlobs(context.Background(), []gitobject.ID{id}); err == nil || r.Holds(id) {
			t.Fatalf("cut after %d of %d bytes: no error", n, len(body))
		}
	}
	r := remote(t, says(t, body), gitwire.Options{})
	if err := r.FetchBlobs(context.Background(), []gitobject.ID{id, blobID("ano")}); err != nil {
		t.Error(err)
	}
}

// Entries that make no object are errors of those that they should have made alone, within
// bounds of time and memory.
func TestHostilePacks(t *testing.T) {
	const mega = 1 << 20
	zeros := strings.Repeat("\x00", 16*mega)
	never := gitobject.ID{9}
	for _, tt := range []struct {
		name string
		want string
		put  func(w *packWriter)
	}{
		{"a difference to itself", "to itself", func(w *packWriter) {
			d := delta(1, 1, "\x90\x01")
			w.add(typeRefDelta, len(d), string(never[:]), deflate(d))
		}},
		{"a difference to before the pack", "OFS delta offset", func(w *packWriter) {
			d := delta(1, 1, "\x90\x01")
			w.add(typeOfsDelta, len(d), ofs(5000), deflate(d))
		}},
		{"a difference to the middle of an entry", "what is not there", func(w *packWriter) {
			at := w.add(typeBlob, 8, "", deflate("12345678"))
			d := delta(8, 1, "\x90\x01")
			w.add(typeOfsDelta, len(d), ofs(w.Len()-at-1), deflate(d))
		}},
		{"a difference to another length", "where the base has 1", func(w *packWriter) {
			at := w.Len()
			w.blob("1")
			d := delta(2, 1, "\x90\x01")
			w.add(typeOfsDelta, len(d), ofs(w.Len()-at), deflate(d))
		}},
		{"the type 0", "unknown type", func(w *packWriter) { w.add(0, 1, "", deflate("x")) }},
		{"the type 5", "unknown type", func(w *packWriter) { w.add(5, 1, "", deflate("x")) }},
		{"a blob that says it is small", "exceeds declared size", func(w *packWriter) { w.add(typeBlob, 10, "", deflate(zeros)) }},
		{"a blob that says it is large", "where its head says", func(w *packWriter) { w.add(typeBlob, mega, "", deflate("x")) }},
		{"a blob that says it has 4 TB", "over a limit", func(w *packWriter) { w.add(typeBlob, 4<<40, "", deflate(zeros)) }},
		{"a blob of 10 GB by copies", "over a limit", func(w *packWriter) {
			at := w.Len()
			w.blob(zeros[:mega])
			d := delta(mega, 10_000*mega, strings.Repeat("\xf0\x00\x00\x10", 10_000))
			w.add(typeOfsDelta, len(d), ofs(w.Len()-at), deflate(d))
		}},
		{"5,000 differences to differences", "more than 4095", func(w *packWriter) { w.chain(5_000, "x") }},
		{"4,000 differences of 16 MB each", "over a limit", func(w *packWriter) { w.chain(4_000, zeros) }},
		{"300 differences of 40 MB to one base", "over a limit", func(w *packWriter) {
			at := w.Len()
			w.blob(zeros[:mega])
			for i := range 300 {
				d := delta(mega, 40*mega+i, strings.Repeat("\xf0\x00\x00\x10", 40)+copies(i))
				w.add(typeOfsDelta, len(d), ofs(w.Len()-at), deflate(d))
			}
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newPack()
			tt.put(w)
			sound := w.blob("sound")
			body := answer(w.String())
			r := remote(t, says(t, body), gitwire.Options{})
			var err error
			memory, took := measure(t, func() {
				err = r.FetchBlobs(context.Background(), []gitobject.ID{sound, never})
			})
			if err == nil {
				t.Error("no error")
			}
			_, err = r.Read(never, gitobject.Blob, mega, nil)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%v; want %q", err, tt.want)
			}
			if memory > 300*mega || took > 20*time.Second {
				t.Errorf("it took %d MB and %v", memory/mega, took)
			}
			t.Logf("%d bytes: %d MB, %v: %v", len(body), memory/mega, took, err)
		})
	}
}

// chain adds a blob, and n differences that copy it, each to the one before it.
func (w *packWriter) chain(n int, content string) {
	last := w.Len()
	w.blob(content)
	for i := range n {
		d := delta(len(content)+i, len(content)+i+1, copies(len(content)+i)+"\x01x")
		last = w.add(typeOfsDelta, len(d), ofs(w.Len()-last), deflate(d))
	}
}

// A server that sends without end, or nothing more, is left.
func TestEndless(t *testing.T) {
	id := gitobject.ID{1}
	chunk := pkt("\x01" + strings.Repeat("x", 60_000))
	url := handles(t, func(w http.ResponseWriter) {
		io.WriteString(w, pkt("packfile\n"))
		for {
			if _, err := io.WriteString(w, chunk); err != nil {
				return
			}
		}
	})
	r := remote(t, url, gitwire.Options{MaxPack: 10 << 20})
	if err := r.FetchBlobs(context.Background(), []gitobject.ID{id}); err == nil || !strings.Contains(err.Error(), "the pack is too large") {
		t.Errorf("a pack without end: %v", err)
	}
	release := make(chan struct{})
	defer close(release)
	url = handles(t, func(w http.ResponseWriter) {
		io.WriteString(w, pkt("packfile\n"))
		w.(http.Flusher).Flush()
		<-release
	})
	r = remote(t, url, gitwire.Options{Stall: 50 * time.Millisecond})
	if err := r.FetchBlobs(context.Background(), []gitobject.ID{id}); err == nil || !strings.Contains(err.Error(), "nothing came for 50ms") {
		t.Errorf("a server that says no more: %v", err)
	}
	slow := newPack()
	id = slow.blob("slow")
	body := answer(slow.String())
	url = handles(t, func(w http.ResponseWriter) {
		for i := range body { // longer in all than it may stall
			io.WriteString(w, body[i:i+1])
			w.(http.Flusher).Flush()
			time.Sleep(12 * time.Millisecond)
		}
	})
	if slow := remote(t, url, gitwire.Options{Stall: 500 * time.Millisecond}); slow.FetchBlobs(context.Background(), []gitobject.ID{id}) != nil {
		t.Error("a slow answer was given up")
	}
	if r.Requests() != 3 {
		t.Errorf("%d requests; want two more than the first", r.Requests())
	}
}

// An answer of another kind than git's is not read, and a redirect not followed. Where
// another answer may be better, it is waited for.
func TestStatus(t *testing.T) {
	for _, tt := range []struct {
		status int
		header map[string]string
		want   string
		waits  string
	}{
		{http.StatusOK, map[string]string{"Content-Type": "text/html; charset=utf-8"}, `the content type "text/html; charset=utf-8"`, "[]"},
		{http.StatusUnauthorized, nil, "the server answers 401 Unauthorized", "[0s]"},
		{http.StatusForbidden, nil, "the server answers 403 Forbidden", "[]"},
		{http.StatusForbidden, map[string]string{"Retry-After": "7"}, "the server answers 403 Forbidden", "[7s 7s]"},
		{http.StatusTooManyRequests, map[string]string{"Retry-After": "3600"}, "the server answers 429 Too Many Requests", "[]"},
		{http.StatusTooManyRequests, nil, "the server answers 429 Too Many Requests", "[1s 4s]"},
		{http.StatusBadGateway, nil, "the server answers 502 Bad Gateway", "[1s 4s]"},
		{
			http.StatusMovedPermanently,
			map[string]string{"Location": "https://elsewhere.example/x"},
			`the server answers 301, with the place "https://elsewhere.example/x": not followed`, "[]",
		},
	} {
		n := 0
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			n++
			for name, value := range tt.header {
				w.Header().Set(name, value)
			}
			w.WriteHeader(tt.status)
			io.WriteString(w, "what")
		}))
		defer server.Close()
		waits := []time.Duration{}
		r := remote(t, server.URL, gitwire.Options{Sleep: func(_ context.Context, d time.Duration) error {
			waits = append(waits, d)
			return nil
		}})
		if err := r.FetchCommits(context.Background(), []gitobject.ID{{1}}); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%d: %v; want %q", tt.status, err, tt.want)
		}
		if fmt.Sprint(waits) != tt.waits || n != len(waits)+1 {
			t.Errorf("%d %v: %d requests, waiting %v; want %s", tt.status, tt.header, n, waits, tt.waits)
		}
	}
}

// measure gives the memory that a function held at most, and the time of the processor
// that it took.
func measure(t testing.TB, f func()) (memory uint64, took time.Duration) {
	t.Helper()
	var before, now runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	stop, done := make(chan struct{}), make(chan uint64)
	go func() {
		peak := uint64(0)
		for {
			select {
			case <-stop:
				done <- peak
				return
			case <-time.After(5 * time.Millisecond):
				runtime.ReadMemStats(&now)
				peak = max(peak, now.HeapAlloc-min(now.HeapAlloc, before.HeapAlloc))
			}
		}
	}()
	start := xtest.CPUTime(t)
	f()
	took = xtest.CPUTime(t) - start
	close(stop)
	return <-done, took
}
