package web

import (
	"bytes"
	_ "embed"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"time"
)

// uiPolicy lets a page load what we serve and nothing else. Styles may be set
// from script: the component library positions things that way.
const uiPolicy = "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; " +
	"connect-src 'self'; media-src 'self' blob:; worker-src 'self' blob:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

// docsPolicy is for the pages we write ourselves.
const docsPolicy = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; base-uri 'none'; " +
	"form-action 'none'; frame-ancestors 'none'"

//go:embed pages/docs.html
var docsPage []byte

//go:embed pages/docs.css
var docsStyle []byte

//go:embed pages/docs.js
var docsScript []byte

//go:embed pages/unbuilt.html
var unbuiltPage []byte

func (s *Server) registerPages() {
	s.raw(http.MethodGet, "/healthz", anyone(), func(w http.ResponseWriter, _ *http.Request) { plain(w, http.StatusOK, "ok") })
	s.raw(http.MethodGet, "/readyz", anyone(), s.ready)
	s.raw(http.MethodGet, "/metrics", global(MetricsRead), s.metrics.handler().ServeHTTP)
	s.raw(http.MethodGet, "/api/openapi.json", signedIn(), s.describe)
	s.raw(http.MethodGet, "/api/docs", signedIn(), page(docsPage, "text/html; charset=utf-8"))
	s.raw(http.MethodGet, "/api/docs.css", signedIn(), page(docsStyle, "text/css; charset=utf-8"))
	s.raw(http.MethodGet, "/api/docs.js", signedIn(), page(docsScript, "text/javascript; charset=utf-8"))
	s.raw("", "/api/", anyone(), func(w http.ResponseWriter, _ *http.Request) {
		writeProblem(w, problemf(http.StatusNotFound, "no such route"))
	})
	s.raw("", "/", anyone(), s.static)
}

func plain(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(text + "\n")) // the caller may have gone
}

func page(data []byte, kind string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", kind)
		w.Header().Set("Content-Security-Policy", docsPolicy)
		w.Header().Set("Cache-Control", "no-cache")
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(data))
	}
}

// ready says whether we can accept and commit.
func (s *Server) ready(w http.ResponseWriter, _ *http.Request) {
	if s.o.Fleet.Ready() != nil {
		plain(w, http.StatusServiceUnavailable, "the journal cannot commit")
		return
	}
	plain(w, http.StatusOK, "ready")
}

// static serves the user interface. Paths without a file are pages of the app
// and get index.html, except below assets.
func (s *Server) static(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		writeProblem(w, problemf(http.StatusMethodNotAllowed, "only GET and HEAD"))
		return
	}
	name := strings.TrimPrefix(path.Clean("/"+r.URL.Path), "/")
	if name == "" {
		name = "index.html"
	}
	if name != "index.html" && s.file(w, r, name) {
		return
	}
	if strings.HasPrefix(name, "assets/") || name != "" && strings.HasPrefix(path.Base(name), ".") {
		w.Header().Set("Cache-Control", "no-store")
		http.Error(w, "no such file", http.StatusNotFound)
		return
	}
	if !s.file(w, r, "index.html") {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'")
		w.Header().Set("Cache-Control", "no-store")
		_, _ = w.Write(unbuiltPage) // the caller may have gone
	}
}

// file serves one built file, compressed if there is a twin the browser takes.
func (s *Server) file(w http.ResponseWriter, r *http.Request, name string) bool {
	if s.o.UI == nil || !fs.ValidPath(name) || strings.HasSuffix(name, ".br") || strings.HasSuffix(name, ".gz") ||
		strings.HasPrefix(path.Base(name), ".") {
		return false
	}
	info, err := fs.Stat(s.o.UI, name)
	if err != nil || info.IsDir() {
		return false
	}
	h := w.Header()
	h.Set("Content-Type", contentType(name))
	h.Add("Vary", "Accept-Encoding")
	if strings.HasPrefix(name, "assets/") { // names carry a hash
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	} else {
		h.Set("Cache-Control", "no-cache")
	}
	chosen, encoding := name, ""
	for _, twin := range []struct{ encoding, suffix string }{{"br", ".br"}, {"gzip", ".gz"}} {
		if accepts(r, twin.encoding) {
			if _, err := fs.Stat(s.o.UI, name+twin.suffix); err == nil {
				chosen, encoding = name+twin.suffix, twin.encoding
				break
			}
		}
	}
	data, err := fs.ReadFile(s.o.UI, chosen)
	if err != nil {
		return false
	}
	if encoding != "" {
		h.Set("Content-Encoding", encoding)
	}
	h.Set("ETag", etag(data))
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(data))
	return true
}
