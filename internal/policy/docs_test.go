package policy_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/wormsweep/wormsweep/internal/policy"
)

// TestPage: the policy of the page validates here and in the schema, and every key of a policy
// has its row.
func TestPage(t *testing.T) {
	page := string(read(t, "../../docs/policy.md"))
	blocks := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllStringSubmatch(page, -1)
	if len(blocks) == 0 {
		t.Fatal("the page has no policy")
	}
	for _, block := range blocks {
		mustParse(t, block[1])
		if err := validates(t, block[1]); err != nil {
			t.Errorf("%s\n%v", block[1], err)
		}
	}
	sections := map[string]string{"": "The file", "registry": "A registry", "artifact": "An artifact", "identity": "An identity", "key": "A key"}
	for name, keys := range policy.Keys {
		_, section, _ := strings.Cut(page, "\n## "+sections[name]+"\n")
		section, _, _ = strings.Cut(section, "\n## ")
		for _, key := range keys {
			if !strings.Contains(section, "\n| `"+key+"` | ") {
				t.Errorf("%q has no row for %q", sections[name], key)
			}
		}
		if rows := strings.Count(section, "\n| `"); rows != len(keys) {
			t.Errorf("%q has %d rows for %d keys", sections[name], rows, len(keys))
		}
	}
}
