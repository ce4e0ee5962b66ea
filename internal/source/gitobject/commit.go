package gitobject

import (
	"bytes"
	"strings"
)

// CommitText is what a commit says.
type CommitText struct {
	Tree    ID
	Parents []ID
	Message string
	// People are who wrote and who committed it, "Name <address>", each once.
	People []string
}

// ParseCommit reads the content of a commit: header lines of a key and a value, an empty line and
// the message (git help hash-object; "tree", "parent", "author" and "committer" are what counts
// here). The texts are as their authors wrote them, in whatever encoding.
func ParseCommit(data []byte) (CommitText, error) {
	tree, err := CommitTree(data)
	if err != nil {
		return CommitText{}, err
	}
	c := CommitText{Tree: tree}
	for {
		line, rest, more := bytes.Cut(data, []byte("\n"))
		if len(line) == 0 {
			c.Message = string(rest)
			return c, nil
		}
		key, value, _ := strings.Cut(string(line), " ")
		switch key {
		case "author", "committer":
			c.add(value)
		case "parent":
			if id, ok := ParseID(value); ok {
				c.Parents = append(c.Parents, id)
			}
		}
		if !more {
			return c, nil
		}
		data = rest
	}
}

// add takes a person without the time behind the address.
func (c *CommitText) add(person string) {
	if i := strings.LastIndexByte(person, '>'); i >= 0 {
		person = person[:i+1]
	}
	for _, known := range c.People {
		if known == person {
			return
		}
	}
	c.People = append(c.People, person)
}
