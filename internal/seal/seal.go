// Package seal encrypts the few secrets that the server must be able to read
// again: passwords and tokens of channels, passwords of cameras.
//
// It promises that core.db alone, a copy of it or a dump of a table, gives
// nobody these secrets: they are encrypted (AES-256-GCM) with a key that lies
// in a file of its own, and each is bound to the place it was written for. Who
// has the whole data folder has the key too, so a backup that holds both is as
// secret as the folder. A key that was lost is replaced by a new one; what was
// sealed with the old one then answers ErrOtherKey and has to be entered again.
package seal

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
)

// Folder is where the key lies in the data folder, File its path there.
const (
	Folder = "keys"
	File   = Folder + "/seal.key"
)

// Errors that callers tell apart.
var (
	// ErrOtherKey is returned for what was sealed with a key that is not here.
	ErrOtherKey = errors.New("sealed with another key")
	// ErrDamaged is returned for what was changed, or sealed for another place.
	ErrDamaged = errors.New("the seal is broken")
	// ErrKey is returned when the key file is there and is no key. It is not
	// replaced: it may be all that is left to repair.
	ErrKey = errors.New(File + " does not hold a key")
)

const (
	keySize = 32
	idSize  = 4
	form    = 1 // of what Seal makes
)

// Box seals and opens. It is safe for concurrent use.
type Box struct {
	gcm cipher.AEAD
	id  [idSize]byte // of the key, so that a lost one is told from damage
}

// Open reads the key in the data folder, made at first use. A key that Open
// returned is on the disk.
func Open(root *os.Root) (*Box, error) {
	key, err := load(root)
	if errors.Is(err, fs.ErrNotExist) {
		key, err = create(root)
	}
	if err != nil {
		return nil, fmt.Errorf("open the key of stored secrets: %w", err)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("prepare AES: %w", err)
	}
	b := new(Box)
	if b.gcm, err = cipher.NewGCMWithRandomNonce(block); err != nil {
		return nil, fmt.Errorf("prepare GCM: %w", err)
	}
	sum := sha256.Sum256(append([]byte("id of a key\x00"), key...))
	copy(b.id[:], sum[:])
	return b, nil
}

// Seal encrypts plain for one place, such as "channel/ch-1/secrets". Only Open
// with the same context gives it back.
func (b *Box) Seal(plain []byte, context string) ([]byte, error) {
	head := b.head()
	return b.gcm.Seal(head, nil, plain, bound(head, context)), nil
}

// Open gives back what Seal was given.
func (b *Box) Open(sealed []byte, context string) ([]byte, error) {
	if len(sealed) < 1+idSize+b.gcm.Overhead() || sealed[0] != form {
		return nil, ErrDamaged
	}
	head, rest := sealed[:1+idSize], sealed[1+idSize:]
	if !slices.Equal(head[1:], b.id[:]) {
		return nil, ErrOtherKey
	}
	plain, err := b.gcm.Open(nil, nil, rest, bound(head, context))
	if err != nil {
		return nil, ErrDamaged
	}
	return plain, nil
}

func (b *Box) head() []byte { return append([]byte{form}, b.id[:]...) }

// bound is what the seal covers without hiding it.
func bound(head []byte, context string) []byte {
	out := binary.BigEndian.AppendUint32(slices.Clone(head), uint32(len(context)))
	return append(out, context...)
}

func load(root *os.Root) ([]byte, error) {
	info, err := root.Lstat(File)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() != keySize {
		return nil, ErrKey
	}
	if info.Mode().Perm()&0o077 != 0 {
		if err := root.Chmod(File, 0o600); err != nil {
			return nil, fmt.Errorf("keep the key from others: %w", err)
		}
	}
	key, err := root.ReadFile(File)
	if err == nil && len(key) != keySize {
		err = ErrKey
	}
	return key, err
}

// create writes a key under another name first: a kill leaves no half key, and
// of two that start at once both get the one that came first.
func create(root *os.Root) ([]byte, error) {
	if err := root.Mkdir(Folder, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("make the folder of keys: %w", err)
	}
	key := make([]byte, keySize)
	rand.Read(key) //nolint:errcheck // documented never to fail
	var mark [8]byte
	rand.Read(mark[:]) //nolint:errcheck // documented never to fail
	name := path.Join(Folder, "new-"+hex.EncodeToString(mark[:]))
	if err := write(root, name, key); err != nil {
		return nil, fmt.Errorf("write the key: %w", err)
	}
	err := root.Link(name, File)
	if err != nil && !errors.Is(err, fs.ErrExist) { // a file system without links
		err = root.Rename(name, File)
	} else {
		err = errors.Join(ignore(err, fs.ErrExist), root.Remove(name))
	}
	if err := errors.Join(err, sync(root, Folder), sync(root, ".")); err != nil {
		return nil, fmt.Errorf("write the key: %w", err)
	}
	return load(root)
}

func write(root *os.Root, name string, data []byte) error {
	f, err := root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	return errors.Join(err, f.Sync(), f.Close())
}

func sync(root *os.Root, folder string) error {
	d, err := root.Open(folder)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

func ignore(err, expected error) error {
	if errors.Is(err, expected) {
		return nil
	}
	return err
}
