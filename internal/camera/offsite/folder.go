package offsite

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"syscall"
)

// markName lies in a folder that was chosen, so that a disk which is not mounted is
// not taken for it: copies would end on the disk that they are to outlive.
const markName = ".chargewatch-second-place"

// Folder is a place on a disk of this machine or of another that is mounted here.
type Folder struct{ Path string }

// String is its path.
func (f *Folder) String() string { return f.Path }

// Choose marks a folder as the second place.
func (f *Folder) Choose() error {
	root, err := os.OpenRoot(f.Path)
	if err != nil {
		return folderFailure(err)
	}
	defer root.Close()
	m, err := root.OpenFile(markName, os.O_WRONLY|os.O_CREATE, 0o600)
	if err == nil {
		err = errors.Join(m.Sync(), m.Close())
	}
	if err != nil {
		return folderFailure(fmt.Errorf("mark the folder: %w", err))
	}
	return nil
}

// open opens the folder if it is the one that was chosen.
func (f *Folder) open() (*os.Root, error) {
	root, err := os.OpenRoot(f.Path)
	if err != nil {
		return nil, folderFailure(err)
	}
	if _, err := root.Stat(markName); err != nil {
		return nil, errors.Join(failed("notThere", errors.New("the folder is not the one that was chosen; its disk may not be mounted")), root.Close())
	}
	return root, nil
}

// Put writes beside the name and then gives it the name.
func (f *Folder) Put(ctx context.Context, o Object) error {
	root, err := f.open()
	if err != nil {
		return err
	}
	defer root.Close()
	if err := root.MkdirAll(path.Dir(o.Name), 0o700); err != nil {
		return folderFailure(fmt.Errorf("make a folder: %w", err))
	}
	next := o.Name + ".part"
	if err := write(ctx, root, next, o.Body); err != nil {
		_ = root.Remove(next) // it may not have been made
		return folderFailure(err)
	}
	if err := root.Rename(next, o.Name); err != nil {
		return folderFailure(fmt.Errorf("name a copy: %w", err))
	}
	dir, err := root.Open(path.Dir(o.Name))
	if err != nil {
		return folderFailure(fmt.Errorf("sync a folder: %w", err))
	}
	if err := errors.Join(dir.Sync(), dir.Close()); err != nil && !errors.Is(err, syscall.EINVAL) { // a share may have no such thing
		return folderFailure(fmt.Errorf("sync a folder: %w", err))
	}
	return nil
}

func write(ctx context.Context, root *os.Root, name string, body io.Reader) error {
	file, err := root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return fmt.Errorf("begin a copy: %w", err)
	}
	_, err = io.Copy(file, &patient{ctx, body})
	if err := errors.Join(err, file.Sync(), file.Close()); err != nil {
		return fmt.Errorf("write a copy: %w", err)
	}
	return nil
}

// patient reads until it is told to stop.
type patient struct {
	ctx context.Context
	r   io.Reader
}

func (p *patient) Read(b []byte) (int, error) {
	if err := p.ctx.Err(); err != nil {
		return 0, err
	}
	return p.r.Read(b)
}

// Remove takes a copy away.
func (f *Folder) Remove(_ context.Context, name string) error {
	root, err := f.open()
	if err != nil {
		return err
	}
	defer root.Close()
	if err := root.Remove(name); err != nil {
		return folderFailure(fmt.Errorf("remove a copy: %w", err))
	}
	return nil
}

func folderFailure(err error) error {
	switch {
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return failed("timeout", err)
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ENOTDIR):
		return failed("notThere", err)
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return failed("full", err)
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		return failed("unwritable", err)
	}
	return failed("unwritable", err)
}
