package jsonscan_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/wormsweep/wormsweep/pkg/lockfile"
	"github.com/wormsweep/wormsweep/pkg/lockfile/internal/jsonscan"
)

// transcript reads every value of text and writes down what it was given, in a form of
// JSON without white space, with the problems after it.
func transcript(text string, opt jsonscan.Options) string {
	var file lockfile.File
	s := jsonscan.New(text, &file, opt)
	var b strings.Builder
	for s.Document() {
		write(&b, s)
	}
	for _, p := range file.Problems {
		fmt.Fprintf(&b, "!%d:%s", p.Line, p.Code)
	}
	return b.String()
}

func write(b *strings.Builder, s *jsonscan.Scanner) {
	switch s.Kind() {
	case jsonscan.Object:
		b.WriteByte('{')
		for key := range s.Object() {
			fmt.Fprintf(b, "%s:", key)
			write(b, s)
			b.WriteByte(';')
		}
		b.WriteByte('}')
	case jsonscan.Array:
		b.WriteByte('[')
		for range s.Array() {
			write(b, s)
			b.WriteByte(';')
		}
		b.WriteByte(']')
	case jsonscan.String:
		if text, ok := s.Text(); ok {
			fmt.Fprintf(b, "<%s>", text)
		}
	case jsonscan.Number:
		if digits, ok := s.Number(); ok {
			b.WriteString(digits)
		}
	case jsonscan.True, jsonscan.False:
		if v, ok := s.Bool(); ok {
			fmt.Fprint(b, v)
		}
	default:
		s.Skip()
	}
}

func TestScanner(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		// sound
		{`{}`, `{}`},
		{" [ ] \r\n", `[]`},
		{"\ufeff{\"a\":\r\n1}", `{a:1;}`}, // byte order mark, CRLF
		{`{"a":{"b":[1,true,"x",null]}}`, `{a:{b:[1;true;<x>;;];};}`},
		{`"\"\\\/\b\f\n\r\t\u0041\ud83d\ude00é"`, "<\"\\/\b\f\n\r\tA\U0001f600é>"},
		{`{"A":1,"a":2}`, `{A:1;a:2;}`}, // letter case counts
		{`[-0,0.5,1e9,1E+2,-12.5e-3]`, `[-0;0.5;1e9;1E+2;-12.5e-3;]`},
		{"\"\x7f\"", "<\x7f>"},

		// read on, with a problem
		{"{\"a\":1,\n\"a\":2}", `{a:1;a:2;}!2:repeated-key`},
		{`{"a":1,"\u0061":2}`, `{a:1;a:2;}!1:repeated-key`},
		{`{"a":1,}`, `{a:1;}!1:syntax`},
		{"{\n<<<<<<< HEAD\n\"a\":1,\n||||||| b\n\"a\":0,\n=======\n\"a\":2,\n>>>>>>> x\n\"b\":3}", `{a:1;a:0;a:2;b:3;}!2:syntax!4:syntax!5:repeated-key!6:syntax!7:repeated-key!8:syntax`},
		{"<<<<<<< HEAD\n{\"a\":1}\n=======\n{\"a\":2}\n>>>>>>> x\n", `{a:1;}{a:2;}!1:syntax!3:syntax!4:documents!5:syntax`},
		{"[1,\n<<<<<<< HEAD\n2,\n=======\n3,\n>>>>>>> x\n4]", `[1;2;3;4;]!2:syntax!4:syntax!6:syntax`},
		{`[1,]`, `[1;]!1:syntax`},
		{`[,]`, `[]!1:syntax`},
		{`[1,,2]`, `[1;2;]!1:syntax`},
		{`{"a":1 "b":2}`, `{a:1;b:2;}!1:syntax`},
		{`["a" "b"]`, `[<a>;<b>;]!1:syntax`},
		{`{}{"a":1}`, `{}{a:1;}!1:documents`},
		{`{} "x"`, `{}<x>!1:documents`},
		{"{}\n# x", `{}!2:documents`},
		{"// x\n{\"a\"/*y*/:1}//z", `{a:1;}!1:syntax!2:syntax!2:syntax`},
		{`[NaN,01,+1,.5,1.,1e,--1,0x1,True,nul,-]`, `[;;;;;;;;;;;]` + strings.Repeat("!1:syntax", 11)},
		{`"\x\u12"`, "<x12>!1:syntax!1:syntax"},
		{"\"a\tb\"", "<a\tb>!1:syntax"},
		{"\"a\x00b\"", "<a\x00b>!1:encoding"},
		{"\"a\xffb\"", "<a\ufffdb>!1:encoding"},
		{"{\"a\xff\":1}", "{a\ufffd:1;}!1:encoding"},
		{`"\ud800"`, "<\ufffd>!1:encoding"},
		{`"\ud800\u0041"`, "<\ufffdA>!1:encoding"},
		{`"\udc00\ud800"`, "<\ufffd\ufffd>!1:encoding!1:encoding"},

		// stopped; what was read before stays
		{``, `!1:truncated`},
		{"\n \n", `!3:truncated`},
		{"\x00", `!1:encoding`},
		{"\xff\xfe{\x00}\x00", `!1:encoding`}, // UTF-16
		{`{`, `{}!1:truncated`},
		{`[`, `[]!1:truncated`},
		{"{\"a\":1,\n", `{a:1;}!2:truncated`},
		{`{"a"`, `{}!1:truncated`},
		{`{"a":`, `{}!1:truncated`},
		{`{"a":"x`, `{a:;}!1:truncated`},
		{`{"a":"x\`, `{a:;}!1:truncated`},
		{`{"a":tru`, `{a:;}!1:truncated`},
		{"[1,\"x\n\"]", "[1;;]!1:syntax"},
		{`{"a":1]`, `{a:1;}!1:syntax`},
		{`[1}`, `[1;]!1:syntax`},
		{`{"a":1,b:2}`, `{a:1;}!1:syntax`},
		{`{"a" 1}`, `{}!1:syntax`},
		{`{"a":}`, `{}!1:syntax`},
		{`{1:2}`, `{}!1:syntax`},
		{`}`, `!1:syntax`},
		{"{\n<<<<<<< HEAD\n\"a\":1}", `{a:1;}!2:syntax`},
		{"{\"a\":1,\u00a0\"b\":2}", `{a:1;}!1:syntax`}, // a no-break space is no white space
	} {
		if got := transcript(tt.in, jsonscan.Options{}); got != tt.want {
			t.Errorf("%q\n got %q\nwant %q", tt.in, got, tt.want)
		}
	}
}

func TestTrailingCommas(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{`{"a":[1,],}`, `{a:[1;];}`},
		{`{,}`, `{}!1:syntax`},
		{`[1,,]`, `[1;]!1:syntax`},
	} {
		if got := transcript(tt.in, jsonscan.Options{TrailingCommas: true}); got != tt.want {
			t.Errorf("%q\n got %q\nwant %q", tt.in, got, tt.want)
		}
	}
}

// A body may read its value, leave it, or break out: the next member is found all the same.
func TestPull(t *testing.T) {
	const text = `{"skip": {"a": [1, {"b": "}]"}]}, "break": {"x": 1, "y": {"z": [2]}, "w": 3},
		"breakArray": [1, [2], 3], "wrong": 5, "last": "end"}`
	var file lockfile.File
	s := jsonscan.New(text, &file, jsonscan.Options{})
	got := ""
	for s.Document() {
		for key := range s.Object() {
			switch key {
			case "break":
				for inner := range s.Object() {
					got += inner
					if inner == "y" {
						break
					}
				}
			case "breakArray":
				for i := range s.Array() {
					if n, ok := s.Int(); ok {
						got += fmt.Sprint(i, n)
						break
					}
				}
			case "wrong":
				if line := s.Line(); line != 2 {
					t.Errorf("line of %q is %d, want 2", key, line)
				}
				for range s.Object() {
					t.Error("a number was ranged over")
				}
			case "last":
				text, _ := s.Text()
				got += text
			}
		}
	}
	if want := "xy0 1end"; got != want || len(file.Problems) > 0 {
		t.Errorf("got %q, %v; want %q", got, file.Problems, want)
	}
}

func TestExpect(t *testing.T) {
	var file lockfile.File
	s := jsonscan.New("{\"a\":\nnull}", &file, jsonscan.Options{})
	for s.Document() {
		for range s.Object() {
			if s.Expect(jsonscan.Object, "the member") {
				t.Error("null passes for an object")
			}
		}
	}
	if want := "[line 1: entry: the member is null, not an object]"; fmt.Sprint(file.Problems) != want {
		t.Errorf("got %v, want %v", file.Problems, want)
	}
}

func TestSalvage(t *testing.T) {
	next := func(text string, from int) int { return jsonscan.NextMember(text, from, '{') }
	for _, tt := range []struct{ in, want string }{
		{`{"a": {"v": 1}, bad, "b": {"v": 2}}`, "a b "},
		{`{"a": {"v": 1 ] }, "b" : {"v": 2}}`, "a b "},
		{"{\"a\": {\"v\": \"x\n}, \"b\":{}, 5, \"c\": {}", "a b c "},
		{`{"a": {}`, "a "},
		{`{"a": `, ""},
	} {
		var file lockfile.File
		s := jsonscan.New(tt.in, &file, jsonscan.Options{})
		got := ""
		for s.Document() {
			for key := range s.Salvage(next) {
				got += key + " "
			}
		}
		if got != tt.want || len(file.Problems) == 0 {
			t.Errorf("%q: members %q, want %q; problems %v", tt.in, got, tt.want, file.Problems)
		}
	}
}

func TestDepth(t *testing.T) {
	nest := func(n int) string {
		return strings.Repeat(`{"a":[`, n/2) + strings.Repeat(`]}`, n/2)
	}
	read := map[string]func(string) string{
		"entered": func(text string) string { return transcript(text, jsonscan.Options{}) },
		"skipped": func(text string) string {
			var file lockfile.File
			for s := jsonscan.New(text, &file, jsonscan.Options{}); s.Document(); {
				s.Skip()
			}
			return fmt.Sprint(file.Problems)
		},
	}
	for name, read := range read {
		for _, n := range []int{2000, lockfile.MaxDepth, lockfile.MaxDepth + 2, 1_000_000} {
			deep := strings.Contains(read(nest(n)), string(lockfile.CodeDepth))
			if want := n > lockfile.MaxDepth; deep != want {
				t.Errorf("%s: %d levels refused: %v, want %v", name, n, deep, want)
			}
		}
	}
}

// Every name is told from every other however many there are, and in linear time: with
// 800,000 of them a quadratic reader would not end.
func TestManyNames(t *testing.T) {
	const n = 800_000
	var b strings.Builder
	b.WriteString(`{"small":{"x":1,"x":2},"k0":0`)
	for i := 1; i < n; i++ {
		fmt.Fprintf(&b, `,"k%d":{"a":1}`, i)
	}
	b.WriteString(`,"k5":0,"k\u0037":0}`)
	got := transcript(b.String(), jsonscan.Options{})
	if want := "!1:repeated-key!1:repeated-key!1:repeated-key"; !strings.HasSuffix(got, "}"+want) {
		t.Errorf("ends in %q, want three repeated keys", got[len(got)-100:])
	}
}

func TestNoAllocation(t *testing.T) {
	text := `{"packages":{` + strings.Repeat(`"node_modules/a":{"version":"1.0.0","resolved":"https://registry.example/a/-/a-1.0.0.tgz","x":[1,2,{"y":null}]},`, 10) + `"z":{}}}`
	text = numbered(text)
	var file lockfile.File
	few := testing.AllocsPerRun(100, func() { readAll(text, &file) })
	if len(file.Problems) > 0 {
		t.Fatal(file.Problems)
	}
	if few > 3 { // the scanner, its brackets, its names
		t.Errorf("%v allocations for one file", few)
	}
}

// numbered makes the names "node_modules/a" distinct.
func numbered(text string) string {
	for i := 0; strings.Contains(text, "/a\":"); i++ {
		text = strings.Replace(text, "/a\":", fmt.Sprintf("/b%d\":", i), 1)
	}
	return text
}

func readAll(text string, file *lockfile.File) {
	s := jsonscan.New(text, file, jsonscan.Options{})
	for s.Document() {
		for range s.Object() {
			for range s.Object() {
				for range s.Object() {
					s.Text()
				}
			}
		}
	}
}
