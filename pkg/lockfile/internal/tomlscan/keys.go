package tomlscan

import (
	"strings"

	"github.com/wormsweep/wormsweep/pkg/lockfile"
)

// header reads the next part of a header's key, and goes into the table that it names.
func (r *Reader) header() (told bool) {
	key, dotted, ok := r.part()
	if !ok || !r.deeper(r.at.depth) {
		return false
	}
	at := scope{depth: r.at.depth + 1}
	if r.at.node != Ignored {
		at.node = r.schema(r.at.node, key)
	}
	if dotted {
		if def := r.tables.find(r.at.id, key); def != nil && def.as != asValue {
			at.id = def.table
			r.at = at
			return false
		}
		at.id = r.define(r.at.id, key, onTheWay, undefined)
		r.at = at
		return r.tell(at.node, Table, key, "", r.keyAt)
	}
	r.headerEnd()
	kind := Table
	if r.array {
		kind = Item
		at.id = r.define(r.at.id, key, asTables, asTables)
	} else if def := r.tables.find(r.at.id, key); def != nil && def.as == onTheWay {
		def.as = byHeader
		at.id = def.table
	} else {
		at.id = r.define(r.at.id, key, byHeader, undefined)
	}
	r.table, r.state, r.lost = at, inDocument, false
	return r.tell(at.node, kind, key, "", r.keyAt)
}

// headerEnd reads the brackets that end a header, and the rest of its line. Whatever else
// is there is a problem, and the header stands: the keys that follow are its own.
func (r *Reader) headerEnd() {
	end := "]"
	if r.array {
		end = "]]"
	}
	if !strings.HasPrefix(r.text[r.pos:], end) {
		r.problem(lockfile.CodeSyntax, "%s where %q should end a header", r.found(), end)
		r.skipLine()
		return
	}
	r.pos += len(end)
	r.blanks()
	r.comment()
	if r.pos < len(r.text) && !r.newline() {
		r.problem(lockfile.CodeSyntax, "%s after the end of a header", r.found())
		r.skipLine()
	}
}

// keyPart reads the next part of a key. The last one defines the key; those before it lead
// into tables.
func (r *Reader) keyPart() (told bool) {
	key, dotted, ok := r.part()
	if !ok || !r.deeper(r.at.depth) {
		return false
	}
	at := scope{depth: r.at.depth + 1}
	if r.at.node != Ignored {
		at.node = r.schema(r.at.node, key)
	}
	if dotted {
		if def := r.tables.find(r.at.id, key); def != nil && def.as == byDottedKey {
			at.id = def.table
		} else {
			// "Dotted keys cannot be used to redefine tables already defined."
			at.id = r.define(r.at.id, key, byDottedKey, undefined)
		}
		r.at = at
		return r.tell(at.node, Table, key, "", r.keyAt)
	}
	if r.pos == len(r.text) || r.text[r.pos] != '=' {
		r.fault(lockfile.CodeSyntax, "%s where %q is due", r.found(), '=')
		return false
	}
	r.pos++
	r.define(r.at.id, key, asValue, undefined)
	r.at, r.key, r.state = at, key, atValue
	return false
}

// undefined is what a key must be before it is defined, where nothing else is said.
const undefined definedAs = 255

// define remembers what a key is and gives the table that it leads to. It is a problem when
// the key was defined as something else than may be there before.
func (r *Reader) define(id tableID, key string, as, before definedAs) tableID {
	if def := r.tables.find(id, key); def != nil {
		if def.as != before {
			r.file.AddProblem(r.keyAt, lockfile.CodeRepeatedKey, "%.100q stands twice in one table: it is %s already", key, definitionNames[def.as])
		}
		return r.tables.replace(def, as)
	}
	to, ok := r.tables.add(id, key, as)
	if !ok && !r.full {
		r.full = true
		r.file.AddProblem(r.keyAt, lockfile.CodeLimit, "more than %d keys: one that is repeated from here on may go unseen", maxKeys)
	}
	return to
}

// part reads one part of a key, bare or quoted, and the dot after it if there is one.
func (r *Reader) part() (key string, dotted, ok bool) {
	r.blanks()
	begin := r.pos
	for r.pos < len(r.text) && plain[r.text[r.pos]]&bareKey != 0 {
		r.pos++
	}
	key = r.text[begin:r.pos]
	if r.pos == begin {
		switch {
		case r.pos < len(r.text) && (r.text[r.pos] == '"' || r.text[r.pos] == '\''):
			if quotes := r.text[r.pos:min(r.pos+3, len(r.text))]; quotes == `"""` || quotes == `'''` {
				r.fault(lockfile.CodeSyntax, "a multi-line string as a key")
				return "", false, false
			}
			if key, ok = r.quoted(true); !ok {
				return "", false, false
			}
		default:
			r.fault(lockfile.CodeSyntax, "%s where a key is due", r.found())
			return "", false, false
		}
	}
	r.blanks()
	if r.pos < len(r.text) && r.text[r.pos] == '.' {
		r.pos++
		return key, true, true
	}
	return key, false, true
}
