package depot

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"

	"github.com/chargewatch/chargewatch/internal/store"
)

// What is wrong with an image or its signature.
var (
	ErrImageLarge  = errors.New("the image is larger than is taken")
	ErrImageEmpty  = errors.New("the image is empty")
	ErrSignature   = errors.New("the signature does not fit the image and the certificate")
	ErrCertificate = errors.New("the certificate cannot be read: give one as PEM")
	ErrBase64      = errors.New("the signature is not base64")
	ErrKey         = errors.New("the certificate has neither an RSA nor an ECDSA key")
)

// settleImages removes images that no row knows, and counts the others.
func (s *Service) settleImages(ctx context.Context) error {
	list, err := s.o.Store.FirmwareImages(ctx)
	if err != nil {
		return err
	}
	known := make(map[string]struct{}, len(list))
	for _, x := range list {
		known[x.ID] = struct{}{}
		s.images += x.Bytes
	}
	return s.sweep(Images, known)
}

// AddImage takes an image into the library.
func (s *Service) AddImage(ctx context.Context, by store.Actor, x store.FirmwareImage, r io.Reader) (*store.FirmwareImage, error) {
	if s.o.Tight() {
		return nil, ErrNoRoom
	}
	if err := x.Check(); err != nil {
		return nil, err
	}
	x.Name, _ = cleanName(x.Name)
	if x.Name == "" {
		x.Name = "firmware.bin"
	}
	x.ID = store.NewFirmwareID()
	part := x.ID + ".part"
	sum, size, err := s.keepImage(part, r)
	if err != nil {
		return nil, errors.Join(err, s.remove(Images, part))
	}
	s.mu.Lock()
	full := s.images+size > s.o.Limits.Images
	if !full {
		s.images += size
	}
	s.mu.Unlock()
	if full {
		return nil, errors.Join(ErrNoRoom, s.remove(Images, part))
	}
	x.Bytes, x.SHA256 = size, sum
	if err = s.o.Data.Rename(path.Join(Images, part), path.Join(Images, x.ID)); err == nil {
		var kept *store.FirmwareImage
		if kept, err = s.o.Store.CreateFirmwareImage(ctx, by, x); err == nil {
			return kept, nil
		}
	}
	s.mu.Lock()
	s.images -= size
	s.mu.Unlock()
	return nil, errors.Join(err, s.remove(Images, part), s.remove(Images, x.ID))
}

func (s *Service) keepImage(name string, r io.Reader) (sum string, size int64, err error) {
	f, err := s.o.Data.OpenFile(path.Join(Images, name), os.O_CREATE|os.O_WRONLY|os.O_EXCL, 0o600)
	if err != nil {
		return "", 0, fmt.Errorf("keep the image: %w", err)
	}
	h := sha256.New()
	size, err = copyFile(f, h, r, s.o.Limits.Image)
	var no *refusal
	switch {
	case errors.As(err, &no):
		err = ErrImageLarge
	case err == nil && size == 0:
		err = ErrImageEmpty
	case err == nil:
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return "", 0, err
	}
	return hex.EncodeToString(h.Sum(nil)), size, nil
}

// SignImage keeps the signature of an image and the certificate it was made with, if
// they fit. Empty ones take them away.
func (s *Service) SignImage(ctx context.Context, by store.Actor, id, signature, certificate string) (*store.FirmwareImage, error) {
	x, err := s.o.Store.FirmwareImage(ctx, id)
	if err != nil {
		return nil, err
	}
	if signature != "" || certificate != "" {
		f, err := s.image(id)
		if err != nil {
			return nil, err
		}
		err = verify(f, signature, certificate)
		if err = errors.Join(err, f.Close()); err != nil {
			return nil, err
		}
	}
	x.Signature, x.Certificate = signature, certificate
	return s.o.Store.ChangeFirmwareImage(ctx, by, x)
}

// verify checks a signature as OCPP makes it: over SHA-256 of the image, RSASSA-PSS or
// ECDSA, in base64.
func verify(image io.Reader, signature, certificate string) error {
	raw, err := base64.StdEncoding.DecodeString(signature)
	if err != nil || len(raw) == 0 {
		return ErrBase64
	}
	block, _ := pem.Decode([]byte(certificate))
	if block == nil || block.Type != "CERTIFICATE" {
		return ErrCertificate
	}
	c, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return ErrCertificate
	}
	h := sha256.New()
	if _, err := io.Copy(h, image); err != nil {
		return fmt.Errorf("read the image: %w", err)
	}
	switch key := c.PublicKey.(type) {
	case *rsa.PublicKey:
		if rsa.VerifyPSS(key, crypto.SHA256, h.Sum(nil), raw, nil) != nil {
			return ErrSignature
		}
	case *ecdsa.PublicKey:
		if !ecdsa.VerifyASN1(key, h.Sum(nil), raw) {
			return ErrSignature
		}
	default:
		return ErrKey
	}
	return nil
}

// DropImage removes an image that no station is to get.
func (s *Service) DropImage(ctx context.Context, by store.Actor, id string) error {
	x, err := s.o.Store.FirmwareImage(ctx, id)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, j := range s.jobs {
		if j.Image == id && !j.State.Over() {
			return &store.InUseError{Reason: "a station is being updated with it"}
		}
	}
	if err := s.o.Store.DeleteFirmwareImage(ctx, by, id); err != nil {
		return err
	}
	s.images -= x.Bytes
	return s.remove(Images, id)
}

func (s *Service) image(id string) (*os.File, error) {
	f, err := s.o.Data.Open(path.Join(Images, id))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ErrGone
	}
	if err != nil {
		return nil, fmt.Errorf("open an image: %w", err)
	}
	return f, nil
}
