package disk

import (
	"syscall"
	"testing"
)

// blocks is what a file takes on disk.
func blocks(t *testing.T, path string) int64 {
	t.Helper()
	var s syscall.Stat_t
	if err := syscall.Stat(path, &s); err != nil {
		t.Fatal(err)
	}
	return s.Blocks * 512
}
