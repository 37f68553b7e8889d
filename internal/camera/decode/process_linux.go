package decode

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// roomy lets a pipe take a whole picture at once: the two ends wake each other
// less often. Where it may not be, it works as it is.
func roomy(pipe *os.File) {
	const setSize, size = 1031, 512 << 10 // F_SETPIPE_SZ
	raw, err := pipe.SyscallConn()
	if err != nil {
		return
	}
	_ = raw.Control(func(fd uintptr) {
		_, _, _ = syscall.Syscall(syscall.SYS_FCNTL, fd, setSize, size)
	})
}

// busy reports whether a process has something to do: one that waits for the
// processor is late, not stuck.
func busy(pid int) bool {
	tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", pid))
	if err != nil {
		return false
	}
	for _, name := range tasks {
		b, err := os.ReadFile(name)
		if err != nil {
			continue
		}
		if _, rest, ok := bytes.Cut(b, []byte(") ")); ok && len(rest) > 0 && rest[0] != 'S' {
			return true
		}
	}
	return false
}
