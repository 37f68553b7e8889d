package motion

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// viewsFolder is the part of the data folder with a file for each camera: how its
// place looks.
const viewsFolder = "views"

// Folder keeps views of places over restarts.
type Folder struct{ dir *os.Root }

// OpenFolder opens it in the data folder.
func OpenFolder(data *os.Root) (*Folder, error) {
	if err := data.Mkdir(viewsFolder, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("make the folder of views: %w", err)
	}
	dir, err := data.OpenRoot(viewsFolder)
	if err != nil {
		return nil, fmt.Errorf("open the folder of views: %w", err)
	}
	return &Folder{dir}, nil
}

// Close ends it.
func (f *Folder) Close() error { return f.dir.Close() }

func fileOf(camera string) string {
	sum := sha256.Sum256([]byte(camera))
	return fmt.Sprintf("%x.view", sum[:12])
}

// load returns what was kept of a camera, nil if nothing was.
func (f *Folder) load(camera string) ([]byte, error) {
	file, err := f.dir.Open(fileOf(camera))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("open the views of a camera: %w", err)
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, maxViewsFile+1))
	if err != nil {
		return nil, fmt.Errorf("read the views of a camera: %w", err)
	}
	return data, nil
}

func (f *Folder) save(camera string, data []byte) error {
	name := fileOf(camera)
	next := name + ".new"
	if err := f.dir.WriteFile(next, data, 0o600); err != nil {
		return errors.Join(fmt.Errorf("write the views of a camera: %w", err), f.drop(next))
	}
	if err := f.dir.Rename(next, name); err != nil {
		return fmt.Errorf("keep the views of a camera: %w", err)
	}
	return nil
}

func (f *Folder) forget(camera string) error { return f.drop(fileOf(camera)) }

func (f *Folder) drop(name string) error {
	if err := f.dir.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove the views of a camera: %w", err)
	}
	return nil
}
