//go:build !linux

package main

// hugePages does nothing: it is for Linux.
func hugePages() {}
