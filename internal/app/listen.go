package app

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"sync/atomic"
	"time"

	"github.com/chargewatch/chargewatch/internal/pki"
)

// listener is one open port and the handler behind it.
type listener struct {
	name string
	net.Listener
	server *http.Server
}

// listen opens a port. With TLS the handshake has a deadline of its own, for a
// client may send its hello a byte a minute.
func listen(ctx context.Context, name, address string, handler http.Handler, conf *tls.Config, log *slog.Logger) (*listener, error) {
	var lc net.ListenConfig
	ln, err := lc.Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("listen for %s: %w", name, err)
	}
	if conf != nil {
		ln = tls.NewListener(ln, conf)
	}
	return &listener{name: name, Listener: ln, server: &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          slog.NewLogLogger(quiet{log.Handler()}, slog.LevelDebug),
	}}, nil
}

// quiet keeps what every port scan causes out of the log.
type quiet struct{ slog.Handler }

func (q quiet) Enabled(ctx context.Context, _ slog.Level) bool {
	return q.Handler.Enabled(ctx, slog.LevelDebug)
}

func (l *listener) serve() error {
	if err := l.server.Serve(l.Listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve %s: %w", l.name, err)
	}
	return nil
}

// certificates returns what a --tls value means; nothing for "off".
func certificates(data *os.Root, value string, names []string, now func() time.Time) (*material, error) {
	if value == "" || value == "off" {
		return nil, nil
	}
	m := &material{own: value == "auto", load: func() (*loaded, error) { return loadCertificates(data, value, names, now()) }}
	return m, m.reload()
}

func loadCertificates(data *os.Root, value string, names []string, now time.Time) (*loaded, error) {
	if value == "auto" {
		root, err := openTLS(data)
		if err != nil {
			return nil, err
		}
		defer root.Close()
		own, err := pki.Own(root, now)
		if err != nil {
			return nil, err
		}
		pairs, err := own.Server(now, names)
		if err != nil {
			return nil, err
		}
		return &loaded{pairs: pairs, clients: own.Pool(), fingerprint: own.Fingerprint(), roots: pki.Roots(pairs)}, nil
	}
	root, err := os.OpenRoot(value)
	if err != nil {
		return nil, fmt.Errorf("open the certificate folder: %w", err)
	}
	defer root.Close()
	pairs, clients, err := pki.Files(root)
	if err != nil {
		return nil, err
	}
	return &loaded{pairs: pairs, clients: clients, roots: pki.Roots(pairs)}, nil
}

// openTLS opens the folder of our own authorities.
func openTLS(data *os.Root) (*os.Root, error) {
	if err := data.MkdirAll("tls", 0o700); err != nil {
		return nil, fmt.Errorf("make the certificate folder: %w", err)
	}
	root, err := data.OpenRoot("tls")
	if err != nil {
		return nil, fmt.Errorf("open the certificate folder: %w", err)
	}
	return root, nil
}

// material is what TLS listeners are made of. It can be loaded again while they are open.
type material struct {
	own  bool // of our own authority
	load func() (*loaded, error)
	now  atomic.Pointer[loaded]
}

type loaded struct {
	pairs       []tls.Certificate
	clients     *x509.CertPool
	fingerprint string              // of our own authority
	roots       []*x509.Certificate // of pairs, as far as we know them
}

// reload has handshakes from now on see the certificates as they are now.
func (m *material) reload() error {
	l, err := m.load()
	if err == nil {
		m.now.Store(l)
	}
	return err
}

// config is the TLS configuration of a listener, made anew when the material is another.
func (m *material) config(of func(*loaded) *tls.Config) *tls.Config {
	type made struct {
		of   *loaded
		conf *tls.Config
	}
	var last atomic.Pointer[made]
	now := func() *tls.Config {
		l := m.now.Load()
		if x := last.Load(); x != nil && x.of == l {
			return x.conf
		}
		x := &made{l, of(l)}
		last.Store(x)
		return x.conf
	}
	conf := now().Clone()
	conf.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) { return now(), nil }
	return conf
}

// server is the TLS configuration of a listener without client certificates.
func (m *material) server() *tls.Config {
	if m == nil {
		return nil
	}
	return m.config(func(l *loaded) *tls.Config { return pki.Config(l.pairs, nil, false) })
}

// authority is the fingerprint of our own authority, empty without one.
func (m *material) authority() string {
	if m == nil {
		return ""
	}
	return m.now.Load().fingerprint
}

// roots are those that its certificates stand under, as far as we know them.
func (m *material) roots() []*x509.Certificate {
	if m == nil {
		return nil
	}
	return m.now.Load().roots
}

// namesOf lists what a certificate must cover for a listening address: its
// host, or every address of the machine.
func namesOf(address string) []string {
	names := []string{"localhost", "127.0.0.1", "::1"}
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return names
	}
	if ip := net.ParseIP(host); host != "" && (ip == nil || !ip.IsUnspecified()) {
		return append(names, host)
	}
	if name, err := os.Hostname(); err == nil {
		names = append(names, name)
	}
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		return names
	}
	for _, a := range addrs {
		if n, ok := a.(*net.IPNet); ok {
			names = append(names, n.IP.String())
		}
	}
	return names
}
