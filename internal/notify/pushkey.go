package notify

import (
	"context"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"

	"github.com/chargewatch/chargewatch/internal/store"
)

// pushKey is the key pair by which push services know us (RFC 8292).
func pushKey(ctx context.Context, s *store.Store) (*ecdsa.PrivateKey, error) {
	text, err := s.PushKey(ctx, func() (string, error) {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			return "", fmt.Errorf("make the key of Web Push: %w", err)
		}
		der, err := x509.MarshalPKCS8PrivateKey(key)
		if err != nil {
			return "", fmt.Errorf("make the key of Web Push: %w", err)
		}
		return base64.StdEncoding.EncodeToString(der), nil
	})
	if err != nil {
		return nil, err
	}
	der, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, fmt.Errorf("read the key of Web Push: %w", err)
	}
	parsed, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, fmt.Errorf("read the key of Web Push: %w", err)
	}
	key, ok := parsed.(*ecdsa.PrivateKey)
	if !ok {
		return nil, errPushKey
	}
	return key, nil
}

var errPushKey = errors.New("the key of Web Push is damaged")

// public is the uncompressed point of a key.
func public(key *ecdsa.PrivateKey) (*ecdh.PublicKey, error) {
	p, err := key.PublicKey.ECDH()
	if err != nil {
		return nil, fmt.Errorf("read the key of Web Push: %w", err)
	}
	return p, nil
}

// PushKey is the public key that a browser needs for its subscription.
func (s *Service) PushKey(ctx context.Context) (string, error) {
	key, err := pushKey(ctx, s.o.Store)
	if err != nil {
		return "", err
	}
	p, err := public(key)
	if err != nil {
		return "", err
	}
	return base64.RawURLEncoding.EncodeToString(p.Bytes()), nil
}
