package statuspage

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"sync"
	"time"
)

// policy lets a page load our style and our script, and nothing else.
const policy = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; " +
	"base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

const (
	shared   = "public, max-age=10"
	unshared = "no-store"
)

// answer is a finished response, kept for all who ask for the same.
type answer struct {
	status int
	kind   string
	body   []byte
	zipped []byte
	etag   string // without quotes
	weak   bool   // the same etag says the same, not the same bytes
}

func newAnswer(status int, kind string, body []byte) (*answer, error) {
	a := &answer{status: status, kind: kind, body: body, etag: fingerprint(body)}
	if len(body) < 500 { // a packet carries it either way
		return a, nil
	}
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.DefaultCompression)
	if err != nil {
		return nil, fmt.Errorf("compress a page: %w", err)
	}
	if _, err := z.Write(body); err != nil {
		return nil, fmt.Errorf("compress a page: %w", err)
	}
	if err := z.Close(); err != nil {
		return nil, fmt.Errorf("compress a page: %w", err)
	}
	a.zipped = b.Bytes()
	return a, nil
}

func fingerprint(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:8])
}

// send writes an answer, short where the caller has it already.
func (a *answer) send(w http.ResponseWriter, r *http.Request, cache string) {
	h := w.Header()
	h.Set("Cache-Control", cache)
	h.Set("Content-Security-Policy", policy)
	h.Add("Vary", "Accept-Encoding")
	body, tag := a.body, a.etag
	zip := a.zipped != nil && acceptsGzip(r)
	if zip {
		body, tag = a.zipped, a.etag+"-gz"
	}
	if a.status == http.StatusOK && cache != unshared {
		quoted := `"` + tag + `"`
		if a.weak {
			quoted = `W/"` + a.etag + `"`
		}
		h.Set("ETag", quoted)
		if matches(r.Header.Get("If-None-Match"), quoted) {
			w.WriteHeader(http.StatusNotModified)
			return
		}
	}
	h.Set("Content-Type", a.kind)
	if zip {
		h.Set("Content-Encoding", "gzip")
	}
	w.WriteHeader(a.status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(body) // the caller may have gone
	}
}

func acceptsGzip(r *http.Request) bool {
	for item := range strings.SplitSeq(r.Header.Get("Accept-Encoding"), ",") {
		name, params, _ := strings.Cut(strings.TrimSpace(item), ";")
		if strings.EqualFold(strings.TrimSpace(name), "gzip") {
			q := strings.ReplaceAll(params, " ", "")
			return q != "q=0" && q != "q=0.0" && q != "q=0.00" && q != "q=0.000"
		}
	}
	return false
}

// matches compares weakly, as RFC 9110 asks for If-None-Match.
func matches(header, tag string) bool {
	tag = strings.TrimPrefix(tag, "W/")
	for item := range strings.SplitSeq(header, ",") {
		item = strings.TrimSpace(item)
		if item == "*" || strings.TrimPrefix(item, "W/") == tag {
			return true
		}
	}
	return false
}

// pageCache keeps the answers of one board. A full one makes answers that
// nobody shares.
type pageCache struct {
	mu  *sync.Mutex
	all map[string]func() (*answer, error)
}

const pageCacheMost = 512

func newPageCache() pageCache {
	return pageCache{mu: new(sync.Mutex), all: make(map[string]func() (*answer, error))}
}

// get returns the answer of a key, made once for all who ask at the same time.
func (c pageCache) get(key string, build func() (*answer, error)) (*answer, error) {
	c.mu.Lock()
	once, ok := c.all[key]
	if !ok && len(c.all) < pageCacheMost {
		once = sync.OnceValues(build)
		c.all[key] = once
	}
	c.mu.Unlock()
	if once == nil {
		return build()
	}
	return once()
}

// asset is a file that pages load; its address carries a hash of it.
type asset struct {
	*answer
	path string
}

func (p *Pages) loadPages() error {
	p.assets = make(map[string]asset)
	for name, kind := range map[string]string{
		"style.css": "text/css; charset=utf-8", "refresh.js": "text/javascript; charset=utf-8", "stickers.css": "text/css; charset=utf-8",
	} {
		data, err := fs.ReadFile(pages, path.Join("pages", name))
		if err != nil {
			return fmt.Errorf("read %s: %w", name, err)
		}
		a, err := newAnswer(http.StatusOK, kind, data)
		if err != nil {
			return err
		}
		p.assets[name] = asset{answer: a, path: "/status/assets/" + name + "?v=" + a.etag[:8]}
	}
	t := template.New("").Funcs(template.FuncMap{
		"asset": func(name string) string { return p.assets[name].path },
	})
	t, err := t.ParseFS(pages, "pages/*.html")
	if err != nil {
		return fmt.Errorf("read the pages for drivers: %w", err)
	}
	p.templates = t
	return nil
}

func (p *Pages) asset(w http.ResponseWriter, r *http.Request) {
	a, ok := p.assets[r.PathValue("file")]
	if !ok {
		p.nothing(w, r)
		return
	}
	cache := shared
	if r.URL.Query().Get("v") == a.etag[:8] {
		cache = "public, max-age=31536000, immutable"
	}
	a.send(w, r, cache)
}

// html renders a page.
func (p *Pages) html(status int, name string, data any) (*answer, error) {
	var b bytes.Buffer
	if err := p.templates.ExecuteTemplate(&b, name, data); err != nil {
		return nil, fmt.Errorf("render %s: %w", name, err)
	}
	text := b.Bytes()
	if name != "report" { // whose field holds what somebody wrote
		text = squeeze(text)
	}
	return newAnswer(status, "text/html; charset=utf-8", text)
}

// squeeze drops the indentation and empty lines of templates.
func squeeze(data []byte) []byte {
	out := make([]byte, 0, len(data))
	for line := range bytes.Lines(data) {
		if line = bytes.TrimSpace(line); len(line) > 0 {
			out = append(append(out, line...), '\n')
		}
	}
	return out
}

// serve sends the page of a key, from the board if somebody asked before.
func (p *Pages) serve(w http.ResponseWriter, r *http.Request, b *board, key, cache string, build func() (*answer, error)) {
	get := build
	if key != "" {
		get = func() (*answer, error) { return b.pages.get(key, build) }
	}
	a, err := get()
	if err != nil {
		p.log.ErrorContext(r.Context(), "page for drivers not made", "err", err)
		http.Error(w, "something went wrong on our side", http.StatusInternalServerError)
		return
	}
	w.Header().Add("Vary", "Accept-Language")
	a.send(w, r, cache)
}

// limited lets an address ask only so often.
func (p *Pages) limited(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		wait, ok := p.readers.take(source(r))
		if ok {
			next(w, r)
			return
		}
		retryAfter(w, wait)
		l, _ := choose(p.languages, r.URL.Query().Get("lang"), r.Header.Get("Accept-Language"))
		p.message(w, r, http.StatusTooManyRequests, l.Busy, fmt.Sprintf(l.BusyHint, l.long(wait)))
	}
}

// nothing answers for what is not there. It says nothing of what was asked for:
// a hidden site reads exactly like one that does not exist.
func (p *Pages) nothing(w http.ResponseWriter, r *http.Request) {
	l, _ := choose(p.languages, r.URL.Query().Get("lang"), r.Header.Get("Accept-Language"))
	p.message(w, r, http.StatusNotFound, l.NotFound, l.NotFoundHint)
}

// message sends a page of two sentences.
func (p *Pages) message(w http.ResponseWriter, r *http.Request, status int, title, text string) {
	if strings.HasSuffix(r.URL.Path, ".json") {
		p.problem(w, status, text)
		return
	}
	p.serve(w, r, nil, "", unshared, func() (*answer, error) {
		f := p.frame(r, title)
		f.NoIndex, f.SwitchURL = true, ""
		return p.html(status, "message", struct {
			frame
			Text string
		}{f, text})
	})
}

// frame is what every page has around its content.
type frame struct {
	L, Other  *language
	Heading   string
	Keep      string // "?lang=de" where the address said so
	SwitchURL string
	NoIndex   bool
	Script    bool
	Observing bool
	Simulated bool
}

func (p *Pages) frame(r *http.Request, heading string) frame {
	l, chosen := choose(p.languages, r.URL.Query().Get("lang"), r.Header.Get("Accept-Language"))
	f := frame{L: l, Heading: heading, Observing: true}
	if chosen {
		f.Keep = "?lang=" + l.Tag
	}
	for _, other := range p.languages {
		if other.Tag == l.Other {
			f.Other, f.SwitchURL = other, "?lang="+other.Tag
		}
	}
	return f
}

// stamp is a moment in a page: its words, and the moment for machines.
type stamp struct {
	Text    string
	Machine string
}

func stampOf(text string, t time.Time) stamp {
	return stamp{Text: text, Machine: t.UTC().Format(time.RFC3339)}
}
