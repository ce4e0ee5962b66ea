package tomlscan

// tables are the tables of the document that keys can still be added to, and what each of
// their keys was defined as. Those that a new element of an array of tables puts out of
// reach are used again, as are inline tables that have ended, so that there are as many as
// the document has places to add to.
type tables struct {
	all  []tableKeys // by table number
	free []tableID
	keys int          // defined in all
	room []definition // for the first keys of new tables
}

// tableID is the number of a table.
type tableID int32

const (
	nowhere   tableID = iota // a table whose keys are not remembered, since there are too many
	rootTable                // the document itself
)

const (
	maxKeys = 1 << 20 // remembered at once; a lockfile of MaxBytes has a tenth of that
	fewKeys = 16      // of a table, compared one by one

	firstKeys = 4 // that a table has room for when it is made
)

type tableKeys struct {
	keys  []definition
	index map[string]int32 // of keys, where they are more than fewKeys
}

// definition is a key and what it was defined as.
type definition struct {
	key string
	as  definedAs
	// table is what the key leads to, for an array of tables its last element; nowhere for
	// a value.
	table tableID
}

type definedAs uint8

const (
	asValue     definedAs = iota // a scalar, an array or an inline table: closed
	byDottedKey                  // a table that dotted keys made; more dotted keys may add to it
	onTheWay                     // a table that a longer header made; a header of its own may follow
	byHeader                     // [key]
	asTables                     // [[key]]
)

var definitionNames = [...]string{"a value", "a table of dotted keys", "a table", "a table", "an array of tables"}

func newTables() tables {
	t := tables{all: make([]tableKeys, rootTable, 8)}
	t.make()
	return t
}

// make gives an empty table.
func (t *tables) make() tableID {
	if n := len(t.free); n > 0 {
		id := t.free[n-1]
		t.free = t.free[:n-1]
		return id
	}
	if len(t.room) < firstKeys {
		t.room = make([]definition, firstKeys*min(max(4, len(t.all)), 64))
	}
	t.all = append(t.all, tableKeys{keys: t.room[:0:firstKeys]})
	t.room = t.room[firstKeys:]
	return tableID(len(t.all) - 1)
}

// drop gives back a table and those that its keys lead to.
func (t *tables) drop(id tableID) {
	if id == nowhere {
		return
	}
	t.free = append(t.free, id)
	for i := len(t.free) - 1; i < len(t.free); i++ {
		table := &t.all[t.free[i]]
		for _, def := range table.keys {
			if def.table != nowhere {
				t.free = append(t.free, def.table)
			}
		}
		t.keys -= len(table.keys)
		clear(table.keys)
		table.keys, table.index = table.keys[:0], nil
	}
}

// find gives the definition of a key in a table, nil where it has none. It is good until
// the next call of add for that table.
func (t *tables) find(id tableID, key string) *definition {
	table := &t.all[id]
	if table.index != nil {
		if i, ok := table.index[key]; ok {
			return &table.keys[i]
		}
		return nil
	}
	for i := range table.keys {
		if table.keys[i].key == key {
			return &table.keys[i]
		}
	}
	return nil
}

// add remembers what a key is that a table does not have yet, and gives the empty table
// that it leads to, nowhere for a value. ok is false when there are too many keys to
// remember it.
func (t *tables) add(id tableID, key string, as definedAs) (to tableID, ok bool) {
	if id == nowhere {
		return nowhere, true
	}
	if t.keys == maxKeys {
		return nowhere, false
	}
	if as != asValue {
		to = t.make()
	}
	t.keys++
	table := &t.all[id]
	table.keys = append(table.keys, definition{key, as, to})
	switch n := len(table.keys); {
	case table.index != nil:
		table.index[key] = int32(n - 1)
	case n > fewKeys:
		table.index = make(map[string]int32, 4*fewKeys)
		for i, def := range table.keys {
			table.index[def.key] = int32(i)
		}
	}
	return to, true
}

// replace makes a key something else than it was, and gives the empty table that it leads
// to, nowhere for a value. What it led to is dropped.
func (t *tables) replace(def *definition, as definedAs) tableID {
	t.drop(def.table)
	def.as, def.table = as, nowhere
	if as != asValue {
		def.table = t.make()
	}
	return def.table
}
