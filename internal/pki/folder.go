package pki

import (
	"errors"
	"io/fs"
	"os"
)

// files is what the change of a root does to its folder. Each is on the disk when it
// returns, and is cut off by a crash either before or after it, never in the middle.
type files interface {
	ReadFile(name string) ([]byte, error)
	Stat(name string) (fs.FileInfo, error)
	WriteFile(name string, data []byte, mode os.FileMode) error
	Rename(from, to string) error
	Remove(name string) error
}

// folder is a folder on the disk.
type folder struct{ *os.Root }

var _ files = folder{}

// WriteFile writes beside the file and puts the whole in its place.
func (d folder) WriteFile(name string, data []byte, mode os.FileMode) error {
	beside := name + ".new"
	f, err := d.OpenFile(beside, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, mode)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return errors.Join(err, d.Root.Remove(beside))
	}
	return d.Rename(beside, name)
}

func (d folder) Rename(from, to string) error {
	if err := d.Root.Rename(from, to); err != nil {
		return err
	}
	return d.sync()
}

func (d folder) Remove(name string) error {
	if err := d.Root.Remove(name); err != nil {
		return err
	}
	return d.sync()
}

func (d folder) sync() error {
	f, err := d.Open(".")
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
