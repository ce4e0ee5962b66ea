// Package jsonscan reads the JSON of a lockfile once, front to back, the way a format
// reader thinks of it: the members of this object, that string, skip the rest.
//
//	s := jsonscan.New(text, &file, jsonscan.Options{})
//	for s.Document() {
//		if !s.Expect(jsonscan.Object, "the file") {
//			continue
//		}
//		for key := range s.Object() {
//			switch key {
//			case "version":
//				version, ok := s.Text()
//			case "packages":
//				for name := range s.Object() {
//					line := s.Line() // of the name
//					...
//				}
//			}
//		}
//	}
//
// In the body of a range over Object or Array one value is due. Text, Number, Int, Bool,
// Skip, Object and Array read it; a body that reads none has skipped it, and a body that
// breaks out has skipped the rest of the object or array. Kind tells what is due.
//
// # Grammar
//
// RFC 8259, and as strict as the tools' own readers: no comments, no trailing commas
// (unless Options.TrailingCommas), names compared byte for byte. On top of the RFC an
// object that is entered must not repeat a name (RFC 8259, section 4: "SHOULD be unique"),
// text is UTF-8 without unpaired surrogates, there is one document, and nothing is nested
// deeper than lockfile.MaxDepth. A byte order mark is accepted, and line ends of all kinds.
//
// # Faults
//
// Every departure is a lockfile.Problem of the file with its line: none is passed over.
// What follows depends on whether the text still means one thing:
//
//   - Where it does, reading goes on: a repeated name (both values are given to the
//     caller), a missing or surplus comma, a comment, a word that is no literal or number, a bad escape, a
//     control character, bytes that are not UTF-8, a second document.
//   - Where it does not, the scanner stops: Failed is true, all ranges end, all reads say
//     false. What was read before stays with the caller. A range over Salvage goes on at
//     the next place that looks like a member.
//
// Memory is a byte for each level of nesting, and eight to 40 for each name of the objects
// that are open; time is linear in the text, which must be shorter than 4 GiB. Strings
// without escapes are parts of the text and cost no allocation. A Scanner is for one
// goroutine.
package jsonscan
