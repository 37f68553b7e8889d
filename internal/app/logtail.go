package app

import (
	"bytes"
	"context"
	"log/slog"
	"regexp"
	"sync"
)

// Bounds of the log kept in memory.
const (
	tailLines = 2000
	tailBytes = 512 << 10
	tailLine  = 4 << 10
)

// LogTail keeps the newest lines of the log for a bundle of diagnostics.
// Secrets are taken out as a line comes in, so that none is ever kept.
type LogTail struct {
	mu    sync.Mutex
	lines [][]byte
	bytes int
}

// Write takes one line.
func (t *LogTail) Write(line []byte) (int, error) {
	kept := withoutSecrets(line[:min(len(line), tailLine)])
	t.mu.Lock()
	defer t.mu.Unlock()
	t.lines = append(t.lines, kept)
	t.bytes += len(kept)
	drop := 0
	for len(t.lines)-drop > tailLines || t.bytes > tailBytes {
		t.bytes -= len(t.lines[drop])
		drop++
	}
	if drop > 0 {
		clear(t.lines[:drop])
		t.lines = t.lines[drop:]
	}
	return len(line), nil
}

// Bytes are the lines, oldest first.
func (t *LogTail) Bytes() []byte {
	t.mu.Lock()
	defer t.mu.Unlock()
	return bytes.Join(t.lines, nil)
}

// What is taken out of a line: what follows words that announce a secret, in
// the forms of the log, of JSON, of addresses and of headers.
var secret = regexp.MustCompile(`(?i)((?:password|passwd|secret|token|authorization(?:key)?|api[_-]?key|cookie)[\w-]*\\?["']?\s*[:=]\s*\\?["']?)(?:(?:bearer|basic)\s+)?[^\s"'\\&,;}]+|\b(bearer|basic)\s+[\w+/=.~-]{8,}|\bcw_[\w-]{8,}|(://)[^\s/@"]+@`)

func withoutSecrets(line []byte) []byte {
	return secret.ReplaceAll(line, []byte("${1}${2}${3}(secret)"))
}

// both hands records to two handlers; what the first would not write the second
// may.
type both struct{ a, b slog.Handler }

func (h both) Enabled(ctx context.Context, l slog.Level) bool {
	return h.a.Enabled(ctx, l) || h.b.Enabled(ctx, l)
}

func (h both) Handle(ctx context.Context, r slog.Record) error {
	if h.b.Enabled(ctx, r.Level) {
		if err := h.b.Handle(ctx, r.Clone()); err != nil {
			return err
		}
	}
	if h.a.Enabled(ctx, r.Level) {
		return h.a.Handle(ctx, r)
	}
	return nil
}

func (h both) WithAttrs(attrs []slog.Attr) slog.Handler {
	return both{h.a.WithAttrs(attrs), h.b.WithAttrs(attrs)}
}

func (h both) WithGroup(name string) slog.Handler {
	return both{h.a.WithGroup(name), h.b.WithGroup(name)}
}

// Keep returns a logger that writes as before and whose newest lines t keeps,
// from the level info on whatever is written elsewhere.
func (t *LogTail) Keep(log *slog.Logger) *slog.Logger {
	return slog.New(both{log.Handler(), slog.NewTextHandler(t, &slog.HandlerOptions{Level: slog.LevelInfo})})
}
