package stream

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync/atomic"
	"time"
)

// Limits of what a camera may send.
const (
	// maxHello is all that it may say before the first picture: some headers and a
	// description of the stream.
	maxHello = 512 << 10
	// maxRate is well above any camera: 4K at 60 pictures a second is a tenth of it.
	maxRate = 64 << 20 // bytes per second, over rateWindow
	// rateWindow is short enough to cut a flood off before it costs much.
	rateWindow = 4 * time.Second
)

// DialFunc connects to host:port, or refuses to.
type DialFunc func(ctx context.Context, network, address string) (net.Conn, error)

// wire is the connection to a camera, with limits on what comes over it.
type wire struct {
	net.Conn
	playing *atomic.Bool

	// Of the one goroutine that reads.
	hello  int
	since  time.Time
	window int
}

// Read counts and refuses too much.
func (w *wire) Read(p []byte) (int, error) {
	n, err := w.Conn.Read(p)
	if !w.playing.Load() {
		if w.hello += n; w.hello > maxHello {
			return 0, &Failure{Reason: ReasonProtocol, Detail: "the camera talks without end before the first picture"}
		}
		return n, err
	}
	if w.window += n; w.window > maxRate*int(rateWindow/time.Second) {
		now := time.Now()
		if now.Sub(w.since) < rateWindow {
			return 0, &Failure{Reason: ReasonProtocol, Detail: "the camera sends more than any picture needs"}
		}
		w.since, w.window = now, 0
	}
	return n, err
}

// handshake speaks TLS over c within the time of ctx. A certificate is trusted if
// its fingerprint is the one that was pinned, or if nothing is pinned and this
// machine trusts who signed it.
func handshake(ctx context.Context, c net.Conn, host, pinned string, roots *x509.CertPool) (net.Conn, error) {
	t := tls.Client(c, &tls.Config{
		ServerName: host,
		MinVersion: tls.VersionTLS12,
		// Cameras sign for themselves: verify decides.
		InsecureSkipVerify: true,
		VerifyConnection: func(s tls.ConnectionState) error {
			return verify(s.PeerCertificates, host, pinned, roots)
		},
	})
	if err := t.HandshakeContext(ctx); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return t, nil
}

func verify(chain []*x509.Certificate, host, pinned string, roots *x509.CertPool) error {
	if len(chain) == 0 {
		return &untrusted{err: errors.New("there is none")}
	}
	got := Fingerprint(chain[0])
	if pinned != "" {
		if subtle.ConstantTimeCompare([]byte(plain(pinned)), []byte(plain(got))) != 1 {
			return &untrusted{fingerprint: got, err: errors.New("it is another than the one that was trusted")}
		}
		return nil
	}
	between := x509.NewCertPool()
	for _, c := range chain[1:] {
		between.AddCert(c)
	}
	if _, err := chain[0].Verify(x509.VerifyOptions{DNSName: host, Intermediates: between, Roots: roots}); err != nil {
		return &untrusted{fingerprint: got, err: err}
	}
	return nil
}

// Fingerprint is the SHA-256 of a certificate as people compare it.
func Fingerprint(c *x509.Certificate) string {
	sum := sha256.Sum256(c.Raw)
	text := strings.ToUpper(hex.EncodeToString(sum[:]))
	var b strings.Builder
	for i := 0; i < len(text); i += 2 {
		if i > 0 {
			b.WriteByte(':')
		}
		b.WriteString(text[i : i+2])
	}
	return b.String()
}

func plain(fingerprint string) string {
	return strings.ToUpper(strings.NewReplacer(":", "", " ", "").Replace(fingerprint))
}

// onlyTo sends packets to one machine, whatever the camera names as its source.
type onlyTo struct {
	*net.UDPConn
	camera net.IP
}

// WriteTo refuses all others.
func (o *onlyTo) WriteTo(p []byte, to net.Addr) (int, error) {
	if a, ok := to.(*net.UDPAddr); !ok || !a.IP.Equal(o.camera) {
		return 0, &Failure{Reason: ReasonAddress, Detail: "the camera names another machine as the source of its pictures"}
	}
	return o.UDPConn.WriteTo(p, to)
}

// listenFor opens a UDP port that talks to one machine only.
func listenFor(camera net.IP, network, address string) (net.PacketConn, error) {
	pc, err := net.ListenPacket(network, address)
	if err != nil {
		return nil, fmt.Errorf("open a port for pictures: %w", err)
	}
	udp, ok := pc.(*net.UDPConn)
	if !ok {
		return nil, errors.Join(fmt.Errorf("%T is no UDP port", pc), pc.Close())
	}
	return &onlyTo{UDPConn: udp, camera: camera}, nil
}
