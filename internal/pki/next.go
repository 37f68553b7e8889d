package pki

import (
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"
)

// The root that our own authority is to have next, and the one that it had before.
const (
	nextFile    = "ca-next.pem"
	nextKeyFile = "ca-next.key"
	oldFile     = "ca-old.pem"
	oldKeyFile  = "ca-old.key"
)

// NextRoot is the root that our own authority is to have next, made at first use.
func NextRoot(root *os.Root, now time.Time) (*x509.Certificate, error) {
	return nextRoot(folder{root}, now)
}

func nextRoot(root files, now time.Time) (*x509.Certificate, error) {
	if err := settle(root); err != nil {
		return nil, err
	}
	cert, _, err := load(root, nextFile, nextKeyFile)
	if errors.Is(err, fs.ErrNotExist) {
		cert, _, err = makeCA(root, now, "Chargewatch own authority", nextFile, nextKeyFile)
	}
	if err != nil {
		return nil, fmt.Errorf("make the next root: %w", err)
	}
	return cert, nil
}

// UseNextRoot puts the next root in the place of the one in use, which stays beside it.
// After a crash in the middle the next start, or another call, goes on.
func UseNextRoot(root *os.Root, want *x509.Certificate) error { return useNextRoot(folder{root}, want) }

func useNextRoot(root files, want *x509.Certificate) error {
	if err := settle(root); err != nil {
		return err
	}
	if cert, _, err := load(root, caFile, caKeyFile); err == nil && cert.Equal(want) {
		return nil
	}
	cert, _, err := load(root, nextFile, nextKeyFile)
	if err != nil {
		return fmt.Errorf("open the next root: %w", err)
	}
	if !cert.Equal(want) {
		return errors.New("the next root in the folder is another one")
	}
	for from, to := range map[string]string{caFile: oldFile, caKeyFile: oldKeyFile} {
		data, err := root.ReadFile(from)
		if err == nil {
			err = root.WriteFile(to, data, 0o600)
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("keep the old root: %w", err)
		}
	}
	if err := root.Rename(nextKeyFile, caKeyFile); err != nil {
		return fmt.Errorf("use the next root: %w", err)
	}
	return settle(root)
}

// settle finishes a change of the root that was cut off: the key went first, so that a
// certificate without its key is one whose key is in use already.
func settle(root files) error {
	_, err := root.Stat(nextFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if _, key := root.Stat(nextKeyFile); err != nil || !errors.Is(key, fs.ErrNotExist) {
		return err
	}
	if err := root.Rename(nextFile, caFile); err != nil {
		return fmt.Errorf("use the next root: %w", err)
	}
	return nil
}

// DropNextRoot forgets the next root.
func DropNextRoot(root *os.Root) error { return dropNextRoot(folder{root}) }

func dropNextRoot(root files) error {
	for _, name := range []string{nextFile, nextKeyFile} { // the certificate first: see settle
		if err := root.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("forget the next root: %w", err)
		}
	}
	return nil
}
