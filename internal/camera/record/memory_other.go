//go:build !unix

package record

// anonymous is memory of the heap where there is no other.
func anonymous(size int) []byte { return make([]byte, size) }

func unmap([]byte) {}
