package web

import (
	"net/http"
	"strings"
	"sync"

	"github.com/klauspost/compress/gzip"
)

// compressFrom is the size from which an answer is worth compressing.
const compressFrom = 4 << 10

// compress shrinks large JSON answers to reading: a list of a thousand stations
// is 1.4 MB and compresses to a tenth. Answers to writing hold secrets beside
// what the caller sent and stay as they are; the live feed flushes by itself.
func compress(next http.Handler) http.Handler {
	pool := &sync.Pool{New: func() any {
		w, err := gzip.NewWriterLevel(nil, gzip.BestSpeed)
		if err != nil { // the level is one of the package's own
			return gzip.NewWriter(nil)
		}
		return w
	}}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet || !strings.HasPrefix(r.URL.Path, base+"/") || strings.HasPrefix(r.URL.Path, base+"/live") ||
			!accepts(r, "gzip") {
			next.ServeHTTP(w, r)
			return
		}
		c := &compressor{ResponseWriter: w, pool: pool}
		defer c.end()
		next.ServeHTTP(c, r)
	})
}

// compressor decides with the first bytes of an answer, which a handler that
// encodes JSON writes at once.
type compressor struct {
	http.ResponseWriter
	pool    *sync.Pool
	gz      *gzip.Writer
	status  int
	decided bool
}

// Unwrap lets http.ResponseController reach the connection.
func (c *compressor) Unwrap() http.ResponseWriter { return c.ResponseWriter }

// WriteHeader waits for the first bytes.
func (c *compressor) WriteHeader(status int) {
	if c.decided || status < http.StatusOK {
		c.ResponseWriter.WriteHeader(status)
		return
	}
	if c.status == 0 {
		c.status = status
	}
}

func (c *compressor) Write(p []byte) (int, error) {
	c.decide(len(p))
	if c.gz != nil {
		return c.gz.Write(p)
	}
	return c.ResponseWriter.Write(p)
}

func (c *compressor) decide(size int) {
	if c.decided {
		return
	}
	c.decided = true
	h := c.Header()
	h.Add("Vary", "Accept-Encoding")
	if kind := h.Get("Content-Type"); size >= compressFrom && c.status < http.StatusMultipleChoices && h.Get("Content-Encoding") == "" &&
		(strings.HasPrefix(kind, "application/json") || strings.HasPrefix(kind, "text/csv")) {
		h.Set("Content-Encoding", "gzip")
		h.Del("Content-Length")
		c.gz = c.pool.Get().(*gzip.Writer)
		c.gz.Reset(c.ResponseWriter)
	}
	if c.status != 0 {
		c.ResponseWriter.WriteHeader(c.status)
	}
}

// end writes what is left. A handler that panicked leaves the answer cut off.
func (c *compressor) end() {
	c.decide(0)
	if c.gz == nil {
		return
	}
	_ = c.gz.Close() // the reader is gone, and nobody is left to tell
	c.gz.Reset(nil)
	c.pool.Put(c.gz)
}
