//go:build unix

package record

import "syscall"

// anonymous is memory outside the heap. If there is none it is of the heap.
func anonymous(size int) []byte {
	if size == 0 {
		return nil
	}
	b, err := syscall.Mmap(-1, 0, size, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		return make([]byte, size)
	}
	return b
}

// unmap gives memory back. What is of the heap is refused and collected.
func unmap(b []byte) {
	if len(b) > 0 {
		_ = syscall.Munmap(b) // see above
	}
}
