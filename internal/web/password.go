package web

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/crypto/argon2"
)

// Costs of argon2id for people: the minimum OWASP asks for. At most two hashes
// are worked out at a time, so sign-in can take 40 MiB and two cores, never
// more.
const (
	argonMemory = 19 * 1024 // KiB
	argonTime   = 2
	argonLanes  = 1
)

var errHash = errors.New("not a password hash")

func (s *Server) slot(ctx context.Context) (release func(), err error) {
	select {
	case s.hash <- struct{}{}:
		return func() { <-s.hash }, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// hashPassword returns the PHC string of a password.
func (s *Server) hashPassword(ctx context.Context, password string) (string, error) {
	release, err := s.slot(ctx)
	if err != nil {
		return "", err
	}
	defer release()
	salt := make([]byte, 16)
	rand.Read(salt) //nolint:errcheck // documented never to fail
	key := argon2.IDKey([]byte(password), salt, argonTime, argonMemory, argonLanes, 32)
	enc := base64.RawStdEncoding.EncodeToString
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, argonMemory, argonTime, argonLanes,
		enc(salt), enc(key)), nil
}

// checkPassword compares in constant time. Without a hash it works as long as
// with one, so that nobody learns which names exist.
func (s *Server) checkPassword(ctx context.Context, hash, password string) (bool, error) {
	release, err := s.slot(ctx)
	if err != nil {
		return false, err
	}
	defer release()
	known := hash != ""
	salt, want := make([]byte, 16), make([]byte, 32)
	memory, passes, lanes := uint32(argonMemory), uint32(argonTime), uint8(argonLanes)
	if known {
		if salt, want, err = readHash(hash, &memory, &passes, &lanes); err != nil {
			return false, err
		}
	}
	got := argon2.IDKey([]byte(password), salt, passes, memory, lanes, uint32(len(want)))
	return subtle.ConstantTimeCompare(got, want) == 1 && known, nil
}

func readHash(hash string, memory, passes *uint32, lanes *uint8) (salt, key []byte, err error) {
	parts := strings.Split(hash, "$")
	if len(parts) != 6 || parts[1] != "argon2id" {
		return nil, nil, errHash
	}
	if _, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", memory, passes, lanes); err != nil {
		return nil, nil, errHash
	}
	salt, err1 := base64.RawStdEncoding.DecodeString(parts[4])
	key, err2 := base64.RawStdEncoding.DecodeString(parts[5])
	if err1 != nil || err2 != nil || len(key) < 16 || *passes == 0 || *lanes == 0 {
		return nil, nil, errHash
	}
	return salt, key, nil
}
