package proof

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"strings"
	"sync"
)

// marks tell passwords that several stations share, and those that makers ship, since
// the server started. What is kept of a password is a hash with a key that nobody
// stores.
type marks struct {
	mu      sync.Mutex
	key     []byte
	of      map[string]mark // by station
	sharing map[[32]byte]int
}

type mark struct {
	sum     [32]byte
	shipped bool
}

func newMarks() marks {
	key := make([]byte, 32)
	rand.Read(key) //nolint:errcheck // documented never to fail
	return marks{key: key, of: make(map[string]mark), sharing: make(map[[32]byte]int)}
}

// shipped reports a password that can be guessed from what a station is.
func shipped(station, serial, password string) bool {
	p := strings.ToLower(password)
	for _, word := range []string{
		strings.ToLower(station), strings.ToLower(serial), "password", "admin", "default", "changeme", "12345678", "123456789", "1234567890", "0123456789",
		"0123456789abcdef", "1234567890123456", "authorizationkey", "ocpp", "ocpp1234", "charger", "chargepoint", "evse", "test1234", "deadbeefdeadbeef",
	} {
		if word != "" && p == word {
			return true
		}
	}
	return p != "" && strings.Trim(p, p[:1]) == ""
}

func (m *marks) see(station, serial string, password []byte) {
	h := hmac.New(sha256.New, m.key)
	h.Write(password)
	next := mark{shipped: shipped(station, serial, string(password))}
	h.Sum(next.sum[:0])
	m.mu.Lock()
	defer m.mu.Unlock()
	old, known := m.of[station]
	if known && old == next {
		return
	}
	if known {
		if m.sharing[old.sum]--; m.sharing[old.sum] == 0 {
			delete(m.sharing, old.sum)
		}
	}
	m.of[station] = next
	m.sharing[next.sum]++
}

// See is told of the right password that a station came with.
func (s *Service) See(station, serial string, password []byte) {
	s.marks.see(station, serial, password)
}

// Shared is how many other stations came with the same password, and whether it is one
// that can be guessed.
func (s *Service) Shared(station string) (others int, guessable bool) {
	s.marks.mu.Lock()
	defer s.marks.mu.Unlock()
	x, ok := s.marks.of[station]
	if !ok {
		return 0, false
	}
	return s.marks.sharing[x.sum] - 1, x.shipped
}
