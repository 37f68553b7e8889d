package record

import (
	"errors"
	"os"
	"syscall"
)

// syncData makes the content and the length of a file safe from a power cut. Times
// of change are left out: a file system that writes them too lets the commits of
// the journal wait for it.
func syncData(f *os.File) error {
	raw, err := f.SyscallConn()
	if err != nil {
		return err
	}
	var failed error
	err = raw.Control(func(fd uintptr) {
		for {
			if failed = syscall.Fdatasync(int(fd)); !errors.Is(failed, syscall.EINTR) {
				return
			}
		}
	})
	return errors.Join(err, failed)
}
