// Package yamlscan reads the YAML of a lockfile once, line by line, front to back: the part
// of YAML 1.2 (yaml.org/spec/1.2.2) that package managers write, and little more.
//
//	s := yamlscan.New(yamlscan.Text(data, &file), "deprecated", &file)
//	for s.Next() {
//		switch {
//		case s.Depth == 0:
//			section = s.Key
//		case s.Depth == 1 && section == "packages":
//			...
//		}
//	}
//
// Next moves to the next node, which stands before the nodes below it: a key and what is
// beside it, or an item of a sequence. A node's children have its Depth and one more. A flow
// collection, {a: b} or [a, b], gives the nodes that the same thing written in lines gives,
// with Flow set; so does a document that is JSON.
//
// # Grammar
//
// Block mappings and sequences with any consistent indentation; plain, 'single' and "double"
// quoted scalars with every escape of YAML; flow collections over any number of lines, with
// trailing commas; block scalars; keys after "? "; comments; document marks. Of text that
// goes over several lines only that of one key is taken for sound, the one that New is told
// of, or of all (AnyKey): it may hold prose. It is joined more roughly than YAML folds it.
//
// # Faults
//
// Every departure is a lockfile.Problem of the file with its line: none is passed over. That
// goes for what YAML has and no lockfile does: anchors, aliases, tags and merge keys
// (lockfile.CodeReference), directives, complex keys, scalars that stand alone. It goes for
// what YAML forbids: tabs that indent, a key twice in one mapping
// (lockfile.CodeRepeatedKey), text after a value, lines at a depth that nothing opened. Line
// ends that some YAML readers know and others do not (a lone carriage return, U+0085, U+2028,
// U+2029) are problems too, since they hide lines from one of the two.
//
// Reading goes on after a fault, with the line read as what it most looks like, so that the
// entries beside a fault are still given. The one exception is a collection nested deeper
// than lockfile.MaxDepth, which ends the reading.
//
// Time is linear in the text, and memory is a few words for each level of nesting and each
// key of the mappings that are open. Strings are parts of the text and cost no allocation,
// except those with escapes and those of several lines. A Scanner is for one goroutine.
package yamlscan
