// Package backup copies the data folder while the server runs, and brings it
// back.
//
// It promises that a backup that has its final name is whole: every file is
// synced and listed with its length and SHA-256, and an interrupted one keeps
// the ending ".partial". Databases are copied in the order given. Derived ones
// come first, so that none of them is ahead of the journal it is derived from.
package backup

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	_ "modernc.org/sqlite" // the database/sql driver "sqlite"
)

// Part is one file of a backup, or one folder of files.
type Part struct {
	Name string // in the data folder and in the backup: one name
	// Write makes the copy at a path that does not exist yet: a file, a folder of
	// files, or nothing if there is nothing to copy.
	Write func(ctx context.Context, path string) error
}

// ManifestName is the list of what a backup holds.
const ManifestName = "backup.json"

// Manifest lists what a backup holds.
type Manifest struct {
	At      time.Time `json:"at"`
	Version string    `json:"version,omitempty"`
	Files   []File    `json:"files"`
}

// File is one file as it was written.
type File struct {
	Name   string `json:"name"`
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`
}

// Errors that callers tell apart.
var (
	ErrExists  = errors.New("is there already")
	ErrDamaged = errors.New("backup is damaged")
)

const partial = ".partial"

// Run writes a backup to a folder that must not exist.
func Run(ctx context.Context, folder, version string, at time.Time, parts ...Part) (*Manifest, error) {
	if _, err := os.Lstat(folder); err == nil {
		return nil, fmt.Errorf("%s %w", folder, ErrExists)
	}
	work := folder + partial
	if err := os.Mkdir(work, 0o700); errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("%s of an interrupted backup %w; delete it first", work, ErrExists)
	} else if err != nil {
		return nil, fmt.Errorf("make the backup folder: %w", err)
	}
	m := &Manifest{At: at.UTC(), Version: version}
	for _, p := range parts {
		if p.Name != filepath.Base(p.Name) || p.Name == ManifestName {
			return nil, fmt.Errorf("%q cannot be part of a backup", p.Name)
		}
		path := filepath.Join(work, p.Name)
		if err := p.Write(ctx, path); err != nil {
			return nil, fmt.Errorf("copy %s: %w", p.Name, err)
		}
		files, err := sealAll(path, p.Name)
		if err != nil {
			return nil, fmt.Errorf("sync the copy of %s: %w", p.Name, err)
		}
		m.Files = append(m.Files, files...)
	}
	data, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("write the list of the backup: %w", err)
	}
	if err := writeSynced(filepath.Join(work, ManifestName), data); err != nil {
		return nil, fmt.Errorf("write the list of the backup: %w", err)
	}
	if err := errors.Join(syncFolder(work), os.Rename(work, folder), syncFolder(filepath.Dir(folder))); err != nil {
		return nil, fmt.Errorf("finish the backup: %w", err)
	}
	return m, nil
}

// Copy makes a Part of a file that nobody writes to, such as a key.
func Copy(name, path string) Part {
	return Part{Name: name, Write: func(_ context.Context, to string) error { return copyFile(path, to) }}
}

// Folder makes a Part of the files in a folder of the data folder; folders in it
// are left out. A file that is removed meanwhile is not in the copy. Files of
// which a database knows go behind it: then none that it names is missing.
func Folder(name, path string) Part {
	return Part{Name: name, Write: func(ctx context.Context, to string) error {
		list, err := os.ReadDir(path)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := os.Mkdir(to, 0o700); err != nil {
			return err
		}
		for _, one := range list {
			if !one.Type().IsRegular() {
				continue
			}
			if err := ctx.Err(); err != nil {
				return err
			}
			err := copyFile(filepath.Join(path, one.Name()), filepath.Join(to, one.Name()))
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		}
		return nil
	}}
}

// Verify reads a whole backup: lengths, sums, and each database's structure.
func Verify(ctx context.Context, folder string) (*Manifest, error) {
	data, err := os.ReadFile(filepath.Join(folder, ManifestName))
	if err != nil {
		return nil, fmt.Errorf("read the list of the backup: %w", err)
	}
	m := new(Manifest)
	if err := json.Unmarshal(data, m); err != nil {
		return nil, fmt.Errorf("read the list of the backup: %w: %w", ErrDamaged, err)
	}
	for _, want := range m.Files {
		if !inside(want.Name) {
			return nil, fmt.Errorf("file %q: %w", want.Name, ErrDamaged)
		}
		path := filepath.Join(folder, want.Name)
		have, err := sum(path, want.Name)
		if errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("%s is missing: %w", want.Name, ErrDamaged)
		}
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", want.Name, err)
		}
		if have != want {
			return nil, fmt.Errorf("%s is not what was written: %w", want.Name, ErrDamaged)
		}
		if strings.HasSuffix(want.Name, ".db") {
			if err := integrity(ctx, path); err != nil {
				return nil, fmt.Errorf("%s: %w", want.Name, err)
			}
		}
	}
	return m, nil
}

// Restore verifies a backup and puts its files into a data folder that has none
// of them. No server may use the folder.
func Restore(ctx context.Context, folder, data string) (*Manifest, error) {
	m, err := Verify(ctx, folder)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(data, 0o750); err != nil {
		return nil, fmt.Errorf("make the data folder: %w", err)
	}
	for _, f := range m.Files {
		for _, ending := range []string{"", "-wal", "-shm"} {
			if _, err := os.Lstat(filepath.Join(data, f.Name+ending)); err == nil {
				return nil, fmt.Errorf("%s%s %w: restore into an empty data folder", f.Name, ending, ErrExists)
			}
		}
	}
	made := map[string]bool{}
	for _, f := range m.Files {
		if dir := filepath.Dir(filepath.FromSlash(f.Name)); dir != "." {
			if err := os.Mkdir(filepath.Join(data, dir), 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
				return nil, fmt.Errorf("restore %s: %w", f.Name, err)
			}
			made[dir] = true
		}
		if err := copyFile(filepath.Join(folder, f.Name), filepath.Join(data, f.Name)); err != nil {
			return nil, fmt.Errorf("restore %s: %w", f.Name, err)
		}
	}
	for dir := range made {
		if err := syncFolder(filepath.Join(data, dir)); err != nil {
			return nil, fmt.Errorf("restore %s: %w", dir, err)
		}
	}
	return m, syncFolder(data)
}

// inside reports the name of a file in the folder, or in a folder of it.
func inside(name string) bool {
	dir, file := path.Split(name)
	return filepath.IsLocal(name) && path.Clean(name) == name && file != "." && !strings.Contains(strings.TrimSuffix(dir, "/"), "/") &&
		!strings.Contains(name, `\`)
}

func integrity(ctx context.Context, path string) error {
	db, err := sql.Open("sqlite", "file:"+(&url.URL{Path: path}).EscapedPath()+"?mode=ro&immutable=1")
	if err != nil {
		return err
	}
	defer db.Close()
	var verdict string
	if err := db.QueryRowContext(ctx, `PRAGMA integrity_check(1)`).Scan(&verdict); err != nil {
		return fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	if verdict != "ok" {
		return fmt.Errorf("%w: %s", ErrDamaged, verdict)
	}
	return nil
}

// sealAll syncs what a part has written, and sums it up.
func sealAll(at, name string) ([]File, error) {
	info, err := os.Lstat(at)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		f, err := seal(at, name)
		return []File{f}, err
	}
	list, err := os.ReadDir(at)
	if err != nil {
		return nil, err
	}
	var out []File
	for _, one := range list {
		f, err := seal(filepath.Join(at, one.Name()), path.Join(name, one.Name()))
		if err != nil {
			return nil, err
		}
		out = append(out, f)
	}
	return out, syncFolder(at)
}

// seal syncs a file and sums it up.
func seal(path, name string) (File, error) {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return File{}, err
	}
	if err := errors.Join(f.Chmod(0o600), f.Sync(), f.Close()); err != nil {
		return File{}, err
	}
	return sum(path, name)
}

func sum(path, name string) (File, error) {
	f, err := os.Open(path)
	if err != nil {
		return File{}, err
	}
	defer f.Close()
	h := sha256.New()
	n, err := io.Copy(h, f)
	return File{Name: name, Bytes: n, SHA256: hex.EncodeToString(h.Sum(nil))}, err
}

func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Sync(), out.Close())
}

func writeSynced(path string, data []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	return errors.Join(err, f.Sync(), f.Close())
}

func syncFolder(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
