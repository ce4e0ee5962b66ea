//go:build !linux

package local

import "os"

// newHandle opens the folder at root for listing.
func newHandle(root *os.Root) (handle, error) {
	here, err := root.OpenRoot(".")
	if err != nil {
		return nil, err
	}
	return rootHandle{here}, nil
}
