package web

import (
	"crypto/rand"
	"fmt"
	"strings"
	"sync"
	"time"

	"rsc.io/qr"

	"github.com/chargewatch/chargewatch/internal/store"
)

// pairings are screens that show a code and wait for an administrator. They
// live in memory: a screen that is forgotten asks again. Nobody but an
// administrator can try codes, and what lets a screen in is the secret that it
// made itself, so the code need not be long.
type pairings struct {
	now    func() time.Time
	mu     sync.Mutex
	byCode map[string]*pairing
}

// pairing is one such screen. Claim is the hash of its secret.
type pairing struct {
	Code        string
	Claim       string
	RemoteAddr  string
	UserAgent   string
	RequestedAt time.Time
	ExpiresAt   time.Time
	source      string
}

const (
	pairingLife    = 10 * time.Minute
	maxPairings    = 200
	maxPairingsPer = 10 // of one source
	codeLength     = 6
	// codeLetters have no two that look alike on a wall, and no E: digits around
	// one read as a number in an address.
	codeLetters = "23456789ABCDFGHJKMNPQRSTVWXYZ"
)

func newPairings(now func() time.Time) *pairings {
	return &pairings{now: now, byCode: make(map[string]*pairing)}
}

// ask returns the pairing of a secret, new unless it waits already; false when
// too many wait.
func (p *pairings) ask(secret, addr, source, agent string) (pairing, bool) {
	claim := string(store.HashSecret(secret))
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.sweep()
	mine := 0
	for _, x := range p.byCode {
		if x.Claim == claim {
			return *x, true
		}
		if x.source == source {
			mine++
		}
	}
	if mine >= maxPairingsPer || len(p.byCode) >= maxPairings {
		return pairing{}, false
	}
	x := &pairing{
		Code: p.code(), Claim: claim, RemoteAddr: addr, UserAgent: agent, RequestedAt: now, ExpiresAt: now.Add(pairingLife), source: source,
	}
	p.byCode[x.Code] = x
	return *x, true
}

// waits returns the pairing of a secret that nobody has decided about.
func (p *pairings) waits(secret string) (pairing, bool) {
	claim := string(store.HashSecret(secret))
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sweep()
	for _, x := range p.byCode {
		if x.Claim == claim {
			return *x, true
		}
	}
	return pairing{}, false
}

func (p *pairings) get(code string) (pairing, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sweep()
	x, ok := p.byCode[code]
	if !ok {
		return pairing{}, false
	}
	return *x, true
}

func (p *pairings) drop(code string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.byCode, code)
}

func (p *pairings) sweep() time.Time {
	now := p.now()
	for code, x := range p.byCode {
		if !now.Before(x.ExpiresAt) {
			delete(p.byCode, code)
		}
	}
	return now
}

// code draws one that nobody shows.
func (p *pairings) code() string {
	for {
		var b [codeLength]byte
		rand.Read(b[:]) //nolint:errcheck // documented never to fail
		for i := range b {
			b[i] = codeLetters[int(b[i])%len(codeLetters)]
		}
		if _, taken := p.byCode[string(b[:])]; !taken {
			return string(b[:])
		}
	}
}

// QRShape is a code for cameras: the outline of its dark modules as a path of
// SVG, in a square of Size with its quiet border.
type QRShape struct {
	Path string `json:"path"`
	Size int    `json:"size"`
}

// quietBorder is what scanners ask for, in modules.
const quietBorder = 4

func qrOf(text string) (QRShape, error) {
	c, err := qr.Encode(text, qr.M)
	if err != nil {
		return QRShape{}, fmt.Errorf("encode a QR code: %w", err)
	}
	var b strings.Builder
	for y := range c.Size {
		for x := range c.Size {
			if c.Black(x, y) {
				fmt.Fprintf(&b, "M%d %dh1v1h-1z", x+quietBorder, y+quietBorder)
			}
		}
	}
	return QRShape{Path: b.String(), Size: c.Size + 2*quietBorder}, nil
}
