package sumdb_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/wormsweep/wormsweep/internal/registrytest"
	"github.com/wormsweep/wormsweep/pkg/registry/sumdb"
)

// The head of the log is remembered, so that a log that was rolled back shows.
func Example() {
	log, err := registrytest.NewGoLog("sum.example.org")
	if err != nil {
		panic(err)
	}
	if err := log.Fill(40); err != nil {
		panic(err)
	}
	ctx := context.Background()
	remembered := sumdb.NewMemory() // where it outlives the process, a store
	client, err := sumdb.New(lying{log: log, kind: "nothing"}, sumdb.Options{Key: log.Key(), Heads: remembered})
	if err != nil {
		panic(err)
	}
	head, err := client.Latest(ctx)
	fmt.Println(head.Size, err)
	if err := log.RollBack(30); err != nil {
		panic(err)
	}
	_, err = client.Latest(ctx)
	var history *sumdb.HistoryError
	ok := errors.As(err, &history)
	fmt.Println(ok, history.RolledBack, history.Remembered.Size, history.Shown.Size)
	// Output:
	// 40 <nil>
	// true true 40 30
}
