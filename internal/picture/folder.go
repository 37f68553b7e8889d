package picture

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"regexp"
)

// Folder keeps photos as files, two of each. It knows nothing of what they are
// of: whoever calls has a row for each, written before and removed after.
type Folder struct {
	root *os.Root // of the data folder
	name string
}

var (
	errName = errors.New("not the name of a photo")
	naming  = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{7,63}$`)
)

// Open makes the folder at first use.
func Open(data *os.Root, name string) (*Folder, error) {
	if err := data.Mkdir(name, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("make the folder of photos: %w", err)
	}
	return &Folder{data, name}, nil
}

func (f *Folder) path(id string, small bool) (string, error) {
	if !naming.MatchString(id) {
		return "", errName
	}
	if small {
		return path.Join(f.name, id+".small.jpg"), nil
	}
	return path.Join(f.name, id+".jpg"), nil
}

// Put writes both sizes of a photo. When it returns, they are on the disk.
func (f *Folder) Put(id string, p *Photo) error {
	for _, one := range []struct {
		small bool
		data  []byte
	}{{true, p.Small}, {false, p.Full}} {
		name, err := f.path(id, one.small)
		if err != nil {
			return err
		}
		if err := f.write(name, one.data); err != nil {
			return fmt.Errorf("write photo %s: %w", id, err)
		}
	}
	dir, err := f.root.Open(f.name)
	if err != nil {
		return fmt.Errorf("sync the folder of photos: %w", err)
	}
	if err := errors.Join(dir.Sync(), dir.Close()); err != nil {
		return fmt.Errorf("sync the folder of photos: %w", err)
	}
	return nil
}

func (f *Folder) write(name string, data []byte) error {
	out, err := f.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = out.Write(data)
	return errors.Join(err, out.Sync(), out.Close())
}

// Open reads one size of a photo; fs.ErrNotExist if it is not there. The caller
// closes it.
func (f *Folder) Open(id string, small bool) (*os.File, error) {
	name, err := f.path(id, small)
	if err != nil {
		return nil, err
	}
	return f.root.Open(name)
}

// Remove deletes both sizes; what is not there is no error.
func (f *Folder) Remove(id string) error {
	var all error
	for _, small := range []bool{true, false} {
		name, err := f.path(id, small)
		if err != nil {
			return err
		}
		if err := f.root.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			all = errors.Join(all, fmt.Errorf("remove photo %s: %w", id, err))
		}
	}
	return all
}
