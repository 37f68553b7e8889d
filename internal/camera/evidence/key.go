package evidence

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// Where the key lies in the data folder.
const (
	keyFolder = "keys"
	keyFile   = keyFolder + "/evidence.key"
)

// ErrKey is returned for what is no key.
var ErrKey = errors.New("not an Ed25519 key")

// Key signs.
type Key struct{ private ed25519.PrivateKey }

// OpenKey reads the key of a data folder, made at first use.
func OpenKey(data *os.Root) (*Key, error) {
	b, err := data.ReadFile(keyFile)
	if errors.Is(err, fs.ErrNotExist) {
		b, err = makeKey(data)
	}
	if err != nil {
		return nil, fmt.Errorf("open the key of evidence: %w", err)
	}
	if len(b) != ed25519.SeedSize {
		return nil, fmt.Errorf("open the key of evidence: %w", ErrKey)
	}
	return &Key{ed25519.NewKeyFromSeed(b)}, nil
}

func makeKey(data *os.Root) ([]byte, error) {
	if err := data.Mkdir(keyFolder, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, err
	}
	seed := make([]byte, ed25519.SeedSize)
	rand.Read(seed) //nolint:errcheck // documented never to fail
	next := keyFile + ".new"
	f, err := data.OpenFile(next, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, err
	}
	_, err = f.Write(seed)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return nil, err
	}
	if err := data.Rename(next, keyFile); err != nil {
		return nil, err
	}
	d, err := data.Open(keyFolder)
	if err != nil {
		return nil, err
	}
	return seed, errors.Join(d.Sync(), d.Close())
}

// Sign signs.
func (k *Key) Sign(b []byte) []byte { return ed25519.Sign(k.private, b) }

// Public is the half that others may have.
func (k *Key) Public() ed25519.PublicKey { return k.private.Public().(ed25519.PublicKey) }

// Fingerprint names a public key.
func Fingerprint(k ed25519.PublicKey) string {
	sum := sha256.Sum256(k)
	return hex.EncodeToString(sum[:])
}

// PEM is a public key as a file.
func PEM(k ed25519.PublicKey) []byte {
	der, err := x509.MarshalPKIXPublicKey(k)
	if err != nil {
		return nil // an Ed25519 key always has this form
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
}

// ParsePublic reads the file that PEM makes.
func ParsePublic(b []byte) (ed25519.PublicKey, error) {
	block, _ := pem.Decode(b)
	if block == nil || block.Type != "PUBLIC KEY" {
		return nil, ErrKey
	}
	k, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("read a public key: %w", err)
	}
	public, ok := k.(ed25519.PublicKey)
	if !ok {
		return nil, ErrKey
	}
	return public, nil
}
