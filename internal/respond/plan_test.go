package respond_test

import (
	"bytes"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wormsweep/wormsweep/internal/respond"
)

func copyOf(t *testing.T, p *respond.Plan) *respond.Plan {
	t.Helper()
	var b bytes.Buffer
	if err := respond.JSON(&b, p, nil, at(10, 0)); err != nil {
		t.Fatal(err)
	}
	s, err := respond.ReadSheet(b.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	return s.Plan
}

// Every value of a plan that is changed changes its digest, and reading it back does not.
func TestDigest(t *testing.T) {
	for _, make := range []func() *respond.Plan{
		func() *respond.Plan { return respond.PinPlan(pinWorld(t)) },
		func() *respond.Plan { return respond.ScenarioC(oursWorld()) },
	} {
		p := make()
		was := p.Digest()
		if again := make(); again.Digest() != was {
			t.Fatalf("made twice: %s and %s", was, again.Digest())
		}
		if read := copyOf(t, p); read.Digest() != was {
			t.Fatalf("read back: %s and %s\n%s", was, read.Digest(), cmp.Diff(p, read))
		}
		changed := 0
		vary(reflect.ValueOf(p).Elem(), "plan", func(path string) {
			changed++
			if p.Digest() == was {
				t.Errorf("%s does not count", path)
			}
		})
		if changed < 1000 || p.Digest() != was {
			t.Errorf("%d values were changed, and the digest is %s of %s", changed, p.Digest(), was)
		}
		ticks := ticked(p)
		if p.Stand(at(10, 12), ticks); p.Digest() != was {
			t.Errorf("a tick changes the digest")
		}
	}
}

// vary changes each value below v, calls changed, and changes it back.
func vary(v reflect.Value, path string, changed func(path string)) {
	try := func(to reflect.Value) {
		was := reflect.ValueOf(v.Interface())
		v.Set(to)
		changed(path)
		v.Set(was)
	}
	if when, ok := v.Interface().(time.Time); ok {
		try(reflect.ValueOf(when.Add(time.Second)))
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			vary(v.Elem(), path, changed)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			vary(v.Field(i), path+"."+v.Type().Field(i).Name, changed)
		}
	case reflect.Slice:
		for i := range v.Len() {
			vary(v.Index(i), path+"[]", changed)
		}
		if v.Len() > 0 {
			try(v.Slice(0, v.Len()-1))
		}
	case reflect.String:
		try(reflect.ValueOf(v.String() + "x").Convert(v.Type()))
	case reflect.Bool:
		try(reflect.ValueOf(!v.Bool()))
	case reflect.Int:
		try(reflect.ValueOf(int(v.Int()) + 1).Convert(v.Type()))
	case reflect.Uint8:
		try(reflect.ValueOf((v.Uint() + 1) % 3).Convert(v.Type()))
	default:
		panic(path)
	}
}

// The order of what is given changes nothing, as long as it says the same.
func TestOrderOfFactsDoesNotCount(t *testing.T) {
	in := pinWorld(t)
	was := respond.PinPlan(in).Digest()
	for i, j := 0, len(in.Findings)-1; i < j; i, j = i+1, j-1 {
		in.Findings[i], in.Findings[j] = in.Findings[j], in.Findings[i]
	}
	in.Findings = append(in.Findings, in.Findings[0]) // of another ref
	if got := respond.PinPlan(in).Digest(); got != was {
		t.Errorf("in another order: %s, was %s", got, was)
	}
	ours := oursWorld()
	was = respond.ScenarioC(ours).Digest()
	ours.Artifacts[0], ours.Artifacts[5] = ours.Artifacts[5], ours.Artifacts[0]
	before := ours.Artifacts[0].Name
	if got := respond.ScenarioC(ours).Digest(); got != was || ours.Artifacts[0].Name != before {
		t.Errorf("in another order: %s, was %s; or the caller's list was sorted", got, was)
	}
}

func TestTicks(t *testing.T) {
	p := respond.ScenarioC(sdk(func(*respond.Ours) {}))
	s := stepOf(t, p, "-unpublish-")
	tick := func(by string) respond.Tick {
		return respond.Tick{Step: s.ID, Digest: s.Digest(), By: by, At: at(10, 9)}
	}
	for _, tt := range []struct {
		about string
		ticks respond.Ticks
		want  bool
	}{
		{"nobody", nil, false},
		{"one person", respond.Ticks{tick("ann")}, false},
		{"one person twice", respond.Ticks{tick("ann"), tick("Ann")}, false},
		{"nobody's name", respond.Ticks{tick("ann"), tick("")}, false},
		{"two people", respond.Ticks{tick("ann"), tick("bob")}, true},
		{"of the step as it was", respond.Ticks{tick("ann"), {Step: s.ID, Digest: "sha256:0", By: "bob"}}, false},
		{"of another step", respond.Ticks{tick("ann"), {Step: "other", Digest: s.Digest(), By: "bob"}}, false},
	} {
		if got := tt.ticks.Done(s); got != tt.want {
			t.Errorf("%s: %v, want %v", tt.about, got, tt.want)
		}
	}
	ticks := respond.Ticks{tick("ann"), tick("bob")}
	s.Why += " Changed."
	if ticks.Done(s) {
		t.Error("a step that was changed is done")
	}
}

// What ReadPlan takes is sound.
func TestReadPlanRefuses(t *testing.T) {
	sound := `{"form":1,"kind":"pin","title":"t","about":[],"basis":[],"steps":[` +
		`{"id":"a","title":"t","class":"H","probe":{"text":"p"},"commands":[{"words":[{"text":"npm"},{"text":"x"}]}]},` +
		`{"id":"b","title":"t","class":"W","after":["a"],"probe":{"text":"p"}}]}`
	if _, err := respond.ReadPlan([]byte(sound)); err != nil {
		t.Fatal(err)
	}
	for about, edit := range map[string][2]string{
		"another form":           {`"form":1`, `"form":2`},
		"another kind":           {`"kind":"pin"`, `"kind":"act"`},
		"letter case of a key":   {`"kind"`, `"Kind"`},
		"a key twice":            {`"form":1`, `"form":1,"form":1`},
		"an unknown key":         {`"form":1`, `"form":1,"approved":true`},
		"two documents":          {`]}`, `]}{}`},
		"an id twice":            {`"id":"b"`, `"id":"a"`},
		"no id":                  {`"id":"b"`, `"id":""`},
		"after what comes later": {`"id":"a",`, `"id":"a","after":["b"],`},
		"after itself":           {`"after":["a"]`, `"after":["b"]`},
		"a class of no kind":     {`"class":"H"`, `"class":"X"`},
		"refused, and a command": {`"id":"a",`, `"id":"a","refused":"no",`},
		"a shell as the program": {`"text":"npm"`, `"text":"npm;reboot"`},
		"a blank as the program": {`{"text":"npm"}`, `{"blank":"program"}`},
		"a line in a word":       {`"text":"x"`, `"text":"x\ny"`},
		"an escape in a word":    {`"text":"x"`, `"text":"\u001b[2J"`},
		"beyond ASCII":           {`"text":"x"`, `"text":"\u202ex"`},
		"a command of Actions":   {`"text":"x"`, `"text":"##[error]x"`},
		"a link of a terminal":   {`"text":"x"`, `"text":"www.evil.example"`},
		"a folder outside":       {`{"words"`, `{"dir":"../x","words"`},
		"a blank in letters":     {`{"text":"x"}`, `{"text":"x","blank":"$(x)"}`},
		"an answer of no kind":   {`"id":"a",`, `"id":"a","gates":[{"id":"g","question":"q","answer":"maybe"}],`},
	} {
		text := strings.Replace(sound, edit[0], edit[1], 1)
		if text == sound {
			t.Fatalf("%s: nothing was changed", about)
		}
		if _, err := respond.ReadPlan([]byte(text)); !errors.Is(err, respond.ErrPlan) {
			t.Errorf("%s: %v, want ErrPlan", about, err)
		}
	}
	var b bytes.Buffer
	if err := respond.JSON(&b, respond.PinPlan(pinWorld(t)), nil, at(10, 0)); err != nil {
		t.Fatal(err)
	}
	if _, err := respond.ReadSheet(bytes.Replace(b.Bytes(), []byte("5.6.0"), []byte("5.6.1"), 1)); !errors.Is(err, respond.ErrPlan) {
		t.Errorf("a plan that was changed under its digest: %v", err)
	}
}

// Whatever is read is sound, prints, and reads back as the same plan.
func FuzzReadPlan(f *testing.F) {
	pins := pinWorld(f)
	pins.Findings = pins.Findings[2:3] // a small one: large seeds are slow to change
	p := respond.PinPlan(pins)
	var b bytes.Buffer
	if err := respond.JSON(&b, p, ticked(p), at(10, 0)); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Add([]byte(`{"form":1,"kind":"scenario-c","title":"t","about":[{"kind":"npm","name":"n","version":"1"}],"basis":[{"what":"w","source":"s"}],` +
		`"missing":[{"what":"w","why":"y","repository":"r","file":"f"}],"steps":[{"id":"a","title":"t","class":"H","probe":{"text":"p","command":{"words":[{"text":"gh"}]}},` +
		`"link":"https://github.com/x","irreversible":"i","deadline":{"at":"2026-08-13T08:00:00Z","why":"w"},"gates":[{"id":"g","question":"q","answer":"yes","until":"2026-08-13T08:00:00Z"}],` +
		`"edits":[{"file":"f","line":3,"what":"w","from":"1","to":"2"}],"commands":[{"when":"w","dir":"a/b","words":[{"text":"npm"},{"text":"x@","blank":"version","rest":"/y"},{"text":"a b"}]}]},` +
		`{"id":"b","title":"t","class":"W","after":["a"],"refused":"no","probe":{"text":"p"}}],"checks":[{"id":"c","text":"t","answer":"no","values":["1"]}],` +
		`"drafts":[{"id":"d.txt","title":"t","media":"text/plain","text":"a\n` + "```" + `\nb","blanks":["x"],"send":"H","where":"w"}]}`))
	f.Add([]byte(`{"form":1,"kind":"pin","title":"t","about":[],"basis":[],"steps":[{"id":"a","title":"t","class":"H","probe":{"text":"p"}}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var ticks respond.Ticks
		p, err := respond.ReadPlan(data)
		if err != nil {
			s, err := respond.ReadSheet(data)
			if err != nil {
				return
			}
			p, ticks = s.Plan, s.Ticks
		}
		var b bytes.Buffer
		if err := respond.JSON(&b, p, ticks, at(10, 0)); err != nil {
			t.Fatal(err)
		}
		again, err := respond.ReadSheet(b.Bytes())
		if err != nil || again.Digest != p.Digest() {
			t.Fatalf("%v: %s", err, b.Bytes())
		}
		for i := range p.Steps {
			for _, c := range p.Steps[i].Commands {
				if text, ok := c.Shell(); ok && (strings.ContainsAny(text, "\n\x1b") || len(c.Blanks()) > 0) {
					t.Errorf("%q", text)
				}
			}
		}
		for _, render := range []func() error{
			func() error { return respond.Text(&b, p, ticks, at(10, 0)) },
			func() error { return respond.Markdown(&b, p, ticks, at(10, 0)) },
		} {
			if err := render(); err != nil {
				t.Error(err)
			}
		}
	})
}
