package respond

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Command is what a person or a runner types. It is words, and no text of a shell: whoever runs it
// passes each word as one argument. Shell writes it for a shell.
type Command struct {
	When  string `json:"when,omitempty"` // "with yarn 1", where it is one of several
	Dir   string `json:"dir,omitempty"`  // folder of the repository in which it is run, "" for its top
	Words []Word `json:"words"`          // the program first
}

// Word is one argument: its text, or a text with a blank in it.
type Word struct {
	Text string `json:"text,omitempty"`
	// Blank names what is not known, "" where nothing is missing. It stands between Text and
	// Rest.
	Blank string `json:"blank,omitempty"`
	Rest  string `json:"rest,omitempty"`
}

// Blanks names what is missing of the command, each once. A command with a blank is not to be
// run, and is shown with its blanks and as withheld.
func (c *Command) Blanks() []string {
	var out []string
	for _, w := range c.Words {
		if w.Blank != "" && !slices.Contains(out, w.Blank) {
			out = append(out, w.Blank)
		}
	}
	return out
}

// Shell is the command for a POSIX shell, on one line: each word quoted where it has to be, so
// that no word is more than one argument, whatever it holds. ok is false where the command has a
// blank or is otherwise not to be run; then it is "".
func (c *Command) Shell() (text string, ok bool) {
	if c.check() != nil || len(c.Blanks()) > 0 {
		return "", false
	}
	return c.line(), true
}

// Template is the command with its blanks visible, as <WHAT IS MISSING>: it is to be read, and a
// shell would not run it. It is "" for a command that Shell would withhold for another reason.
func (c *Command) Template() string {
	if c.check() != nil {
		return ""
	}
	return c.line()
}

func (c *Command) line() string {
	var b strings.Builder
	if c.Dir != "" {
		b.WriteString("cd " + quote("./"+c.Dir) + " && ") // "./": no folder is an option, or "-"
	}
	for i, w := range c.Words {
		if i > 0 {
			b.WriteByte(' ')
		}
		if w.Blank == "" {
			b.WriteString(quote(w.Text))
			continue
		}
		b.WriteString(w.Text + "<" + strings.ToUpper(w.Blank) + ">" + w.Rest)
	}
	return b.String()
}

// errWord is why a command is none of ours.
var errWord = errors.New("a word that cannot be shown and typed as it is")

// maxWord bounds a word: no argument of ours is that long.
const maxWord = 4096

// check reports whether the command can be typed as it is shown: printable ASCII alone, a folder
// inside the repository, and a program's name first.
func (c *Command) check() error {
	if len(c.Words) == 0 || c.Words[0].Blank != "" || strings.Trim(c.Words[0].Text, programLetters) != "" || c.Words[0].Text == "" {
		return fmt.Errorf("the program: %w", errWord)
	}
	for _, text := range []string{c.When, c.Dir} {
		if text != "" && !typeable(text) {
			return fmt.Errorf("%.80q: %w", text, errWord)
		}
	}
	if c.Dir != "" && !insideFolder(c.Dir) {
		return fmt.Errorf("folder %.80q: it is not in the repository", c.Dir)
	}
	for _, w := range c.Words {
		for _, text := range []string{w.Text, w.Blank, w.Rest} {
			if text != "" && !typeable(text) || len(text) > maxWord {
				return fmt.Errorf("%.80q: %w", text, errWord)
			}
		}
		if w.Blank == "" && w.Rest != "" || strings.Trim(w.Blank, blankLetters) != "" {
			return fmt.Errorf("blank %.80q: %w", w.Blank, errWord)
		}
	}
	return nil
}

const (
	programLetters = "abcdefghijklmnopqrstuvwxyz-0123456789"
	blankLetters   = "abcdefghijklmnopqrstuvwxyz 0123456789"
	// plainLetters need no quotes in any shell.
	plainLetters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789@%+:,./_-"
)

// typeable reports whether s is printable ASCII, and nothing in it is taken for a command or a link
// by what shows it: a GitHub Actions runner does so with "##[" anywhere, terminals with "www.".
func typeable(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return !strings.Contains(s, "##[") && !strings.Contains(s, "::") && !strings.Contains(strings.ToLower(s), "www.")
}

// insideFolder reports whether a path with slashes leads to a folder below the one that it begins
// in.
func insideFolder(dir string) bool {
	for part := range strings.SplitSeq(dir, "/") {
		if part == "" || part == "." || part == ".." {
			return false
		}
	}
	return true
}

// quote makes one word of a POSIX shell. "=" is quoted but in an option: before a program it would
// be an assignment.
func quote(s string) string {
	plain := plainLetters
	if strings.HasPrefix(s, "-") {
		plain += "="
	}
	if s != "" && strings.Trim(s, plain) == "" {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// command makes a command of words that are ours, or that were checked.
func command(words ...any) Command {
	c := Command{}
	for _, w := range words {
		switch w := w.(type) {
		case string:
			c.Words = append(c.Words, Word{Text: w})
		case Word:
			c.Words = append(c.Words, w)
		default:
			panic(fmt.Sprintf("respond: %T is no word", w))
		}
	}
	return c
}

func (c Command) in(dir string) Command {
	c.Dir = dir
	return c
}

func (c Command) when(text string) Command {
	c.When = text
	return c
}

// ref is a command as an optional value; nil where it cannot be typed.
func (c Command) ref() *Command {
	if c.check() != nil {
		return nil
	}
	return &c
}

// fits are the commands that can be typed as they are shown. The others are left out, and left
// says how many.
func fits(all ...Command) (out []Command, left int) {
	for _, c := range all {
		if c.check() != nil {
			left++
			continue
		}
		out = append(out, c)
	}
	return out, left
}
