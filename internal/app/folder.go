package app

import (
	"errors"
	"fmt"
	"net"
	"os"
	"syscall"
)

// takeFolder locks the data folder: two servers on one folder would each
// believe they own it.
func takeFolder(data *os.Root) (*os.File, error) {
	f, err := data.OpenFile("lock", os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the lock of the data folder: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		if errors.Is(err, syscall.EWOULDBLOCK) {
			err = errLocked
		}
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

func isClosed(err error) bool { return errors.Is(err, net.ErrClosed) }
