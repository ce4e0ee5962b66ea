package ioc

import (
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

// Keys are spread over slots and tags, so that few have to be compared.
func TestHashKey(t *testing.T) {
	keys := manyKeys()
	slots, tags := map[uint32]int{}, map[byte]int{}
	for _, key := range keys {
		slot, tag := hashKey(key)
		slots[slot%uint32(len(keys))]++
		tags[tag]++
		if tag == 0 {
			t.Errorf("the tag of %q is that of a free slot", key)
		}
	}
	for slot, n := range slots {
		if n > 10 {
			t.Errorf("%d of %d keys begin at slot %d", n, len(keys), slot)
		}
	}
	for tag, n := range tags {
		if n > len(keys)/50 {
			t.Errorf("%d of %d keys have the tag %d", n, len(keys), tag)
		}
	}
}
