package ioc

import (
	"encoding/binary"
	"fmt"
	"strings"
	"testing"
)

// manyKeys are keys of every length up to three words, and many that differ in one byte.
func manyKeys() []string {
	var keys []string
	for n := range 25 {
		key := strings.Repeat("a", n)
		keys = append(keys, key)
		for i := range n {
			keys = append(keys, key[:i]+"b"+key[i+1:], key[:i]+"\x00"+key[i+1:])
		}
	}
	for i := range 2000 {
		keys = append(keys, fmt.Sprintf("@scope/package-%d", i), uintKey(uint64(i)))
	}
	return keys
}

func TestTable(t *testing.T) {
	w := tableWriter{}
	keys := manyKeys()
	for i, key := range keys {
		w.add(key, value{uint32(i), kindExact, "first"})
		w.add(key, value{uint32(i), kindAll, ""})
	}
	if len(w) != len(keys) {
		t.Fatalf("%d keys, %d of them distinct", len(keys), len(w))
	}
	data, err := w.bytes()
	if err != nil {
		t.Fatal(err)
	}
	tab := table(data)
	for i, key := range keys {
		c := tab.find(key)
		first, _ := c.next()
		second, _ := c.next()
		if first != (value{uint32(i), kindExact, "first"}) || second != (value{uint32(i), kindAll, ""}) {
			t.Errorf("%q holds %v, %v", key, first, second)
		}
		if v, more := c.next(); more {
			t.Errorf("%q holds %v besides", key, v)
		}
		other := key + "\x01"
		if c := tab.find(other); c.left != 0 {
			t.Errorf("%q is found", other)
		}
	}
}

func TestEmptyTable(t *testing.T) {
	if c := table("").find("a"); c.left != 0 {
		t.Error("an empty table holds a key")
	}
}

// What the slot says of a key tells keys apart, and no slot has many.
func TestHashKey(t *testing.T) {
	keys := manyKeys()
	slots, hashes := map[uint32]int{}, map[string]bool{}
	for _, key := range keys {
		lower, upper := hashKey(key)
		slots[lower%uint32(len(keys))]++
		hashes[string(binary.LittleEndian.AppendUint32(binary.LittleEndian.AppendUint32(nil, lower), upper))] = true
	}
	if len(hashes) != len(keys) {
		t.Errorf("%d keys have %d hashes", len(keys), len(hashes))
	}
	for slot, n := range slots {
		if n > 10 {
			t.Errorf("%d of %d keys begin at slot %d", n, len(keys), slot)
		}
	}
}
