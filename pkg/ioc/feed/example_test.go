package feed_test

import (
	"fmt"
	"os"
	"time"

	"github.com/wormsweep/wormsweep/pkg/ioc/feed"
)

func Example() {
	list := "Package,Version\nwormsweep-example,= 6.6.6 || = 6.6.7\n@@scope/example,1.0.0\nother-example,various versions\n"
	f, err := feed.Import("list.csv", []byte(list), feed.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, e := range f.Errors {
		fmt.Println(e)
	}
	for _, r := range f.Repairs {
		fmt.Printf("%s: %s -> %s\n", r.Rule, r.Found, r.Made)
	}
	packs := f.Packs("example-2026-01", time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC))
	if _, err := feed.WriteTSV(os.Stdout, packs, false); err != nil {
		fmt.Println(err)
	}
	// Output:
	// "list.csv":4: bad-version: "other-example": version "various versions"
	// default-ecosystem: rows that name no ecosystem -> npm
	// double-at: @@scope/example -> @scope/example
	// ecosystem	name	version	campaign
	// npm	@scope/example	1.0.0	example-2026-01
	// npm	wormsweep-example	6.6.6	example-2026-01
	// npm	wormsweep-example	6.6.7	example-2026-01
}
