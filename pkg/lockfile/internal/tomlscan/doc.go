// Package tomlscan reads the TOML of a lockfile once, front to back, and tells its caller
// what stands at the places that the caller wants, however the file spells the way there.
//
//	schema := func(parent tomlscan.Node, key string) tomlscan.Node {
//		switch {
//		case parent == tomlscan.Root && key == "package":
//			return entry
//		case parent == entry && key == "name":
//			return name
//		}
//		return tomlscan.Ignored
//	}
//	r := tomlscan.New(text, &file, schema)
//	for r.Next() {
//		switch r.Node {
//		case entry: // r.Kind is Item for each [[package]]
//		case name: // r.Kind should be String, r.Text its value
//		}
//	}
//
// A place is the same place whether it is reached by [[package]], by [["package"]], by
// package = [{name = "x"}], by a dotted key, through escapes or inline tables. Elements of
// an array stand at the place of the array. What the schema ignores is checked like all
// else and not told.
//
// # Grammar
//
// TOML 1.0, the whole of it (https://toml.io/en/v1.0.0), and what 1.1 adds, since some tools
// read it already and it means the same to all that do: line breaks and a last comma in
// inline tables, \e and \xHH, times without seconds. A key or table that is defined twice,
// also by way of dotted keys, is a problem, as are bytes that are not UTF-8 and nesting
// deeper than lockfile.MaxDepth. A byte order mark is accepted. Numbers are checked and not
// computed: one of a hundred digits is an integer.
//
// # Faults
//
// Every departure is a lockfile.Problem of the file with its line: none is passed over.
// What follows depends on whether the text still means one thing:
//
//   - Where it does, reading goes on: a repeated key (both values are told), a bad escape, a
//     control character, a word that is no number or date, a header that does not end.
//   - Where it does not, reading goes on at the next line that looks like a statement, and
//     faults of the lines between are the same problem. What was told before stays told.
//
// Time is linear in the text. Memory is a word or two for each key outside of inline
// tables, and for each level of nesting. Strings without escapes are parts of the text and
// cost no allocation. A Reader is for one goroutine.
package tomlscan
