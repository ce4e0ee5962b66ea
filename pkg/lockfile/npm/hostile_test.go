package npm_test

import (
	"strings"
	"testing"
	"time"

	"github.com/wormsweep/wormsweep/pkg/lockfile"
	"github.com/wormsweep/wormsweep/pkg/lockfile/npm"
)

// Files under 1 MB that a reader with a loop too many would read for minutes. Time is
// measured generously: these take a few tens of milliseconds.
func TestHostile(t *testing.T) {
	const size = 1_000_000
	fill := func(head, part, tail string) string {
		return head + strings.Repeat(part, (size-len(head)-len(tail))/len(part)) + tail
	}
	long := strings.Repeat("a", size/2)
	for name, tt := range map[string]struct {
		parse parser
		text  string
	}{
		"faults":                {npm.ParsePackageLock, fill("{", `"packages":{?`, "")},
		"faults, version 1":     {npm.ParsePackageLock, fill("{", `"dependencies":{"a":{?`, "")},
		"faults, bun":           {npm.ParseBunLock, fill("{", "\n\"packages\":{\"a\":[?", "")},
		"faults, deno":          {npm.ParseDenoLock, fill("{", `"npm":{"packages":{?`, "")},
		"no end of packages":    {npm.ParseDenoLock, fill("{", `"npm":{"packages":{"npm":{`, "")},
		"repeated versions":     {npm.ParsePackageLock, fill(`{"packages":{"node_modules/a":{"integrity":"`+strings.Repeat(sha512+" ", 4000)+`"`, `,"version":"1","version":"2"`, "}}}")},
		"repeated, long":        {npm.ParsePackageLock, fill(`{"packages":{"node_modules/a":{"resolved":"https://h/`+long+`"`, `,"version":"1","version":"2"`, "}}}")},
		"repeated, installed":   {npm.ParseInstalled, fill(`{"name":"a","_resolved":"https://h/`+long+`"`, `,"version":"1","version":"2"`, "}")},
		"siblings far down":     {npm.ParsePackageLock, fill(`{"lockfileVersion":1,`+strings.Repeat(`"dependencies":{"a":{`, 4900)+`"dependencies":{"b":{}`, `,"c":{"requires":{"a":"1","x":"1"}}`, strings.Repeat("}}", 4901)+"}")},
		"wants far down":        {npm.ParsePackageLock, fill(`{"packages":{"`+strings.Repeat("node_modules/a/", 20_000)+`node_modules/b":{"dependencies":{"x":"1"`, `,"x":"1"`, "}}}}")},
		"wants far down, bun":   {npm.ParseBunLock, fill(`{"packages":{"`+strings.Repeat("a/", 200_000)+`b":["b@1","",{"dependencies":{"x":"1"`, `,"x":"1"`, "}}]}}")},
		"paths, bun":            {npm.ParseBunLock, fill(`{"packages":{"`, "a/", `":["a@1"]}}`)},
		"scopes, bun":           {npm.ParseBunLock, fill(`{"packages":{"`, "@/", `":["a@1"]}}`)},
		"dashes in an address":  {npm.ParsePackageLock, fill(`{"packages":{"node_modules/a":{"resolved":"https://h/a/-/`, "-b", `"}}}`)},
		"slashes in an address": {npm.ParsePackageLock, fill(`{"packages":{"node_modules/a":{"resolved":"https://h/`, "/-/", `"}}}`)},
		"overrides":             {npm.ParseManifest, fill(`{"overrides":{"a`, ">@", `":"1"}}`)},
		"nested overrides":      {npm.ParseManifest, `{"overrides":` + strings.Repeat(`{"a":`, 9000) + "1" + strings.Repeat("}", 9001)},
		"documents":             {npm.ParsePackageLock, fill("", "{}", "")},
		"comments":              {npm.ParseBunLock, fill("{", "/**/", "}")},
		"words":                 {npm.ParseBunLock, fill("[", "x,", "]")},
	} {
		start := time.Now()
		file := tt.parse([]byte(tt.text), lockfile.Options{Edges: true})
		if took := time.Since(start); took > 10*time.Second {
			t.Errorf("%s: %v", name, took)
		} else {
			t.Logf("%s: %v, %d packages, %d problems", name, took, len(file.Packages), len(file.Problems))
		}
		if len(tt.text) > size+100 || len(tt.text) < size/20 {
			t.Errorf("%s: %d bytes", name, len(tt.text))
		}
	}
}
