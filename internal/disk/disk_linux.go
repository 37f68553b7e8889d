package disk

import (
	"os"
	"syscall"
)

type fileSystem string

// Free counts what we may use: without the part kept for root.
func (f fileSystem) Free() (free, total uint64, err error) {
	var s syscall.Statfs_t
	if err := syscall.Statfs(string(f), &s); err != nil {
		return 0, 0, err
	}
	return s.Bavail * uint64(s.Bsize), s.Blocks * uint64(s.Bsize), nil
}

// allocate takes the blocks, so that the space is really gone.
func allocate(f *os.File, size int64) error {
	if err := syscall.Fallocate(int(f.Fd()), 0, 0, size); err != nil {
		return fill(f, size)
	}
	return f.Sync()
}
