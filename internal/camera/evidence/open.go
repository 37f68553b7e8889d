package evidence

import (
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"slices"
)

// Open opens a pack that is done. Whoever opens closes it.
func (a *Archive) Open(id string) (*os.File, error) {
	if j, ok := a.Job(id); !ok || j.State != Done {
		return nil, ErrUnknown
	}
	f, err := a.dir.Open(path.Join(id, packName))
	if err != nil {
		return nil, fmt.Errorf("open a pack: %w", err)
	}
	return f, nil
}

// Manifest reads what a pack holds.
func (a *Archive) Manifest(id string) (*Manifest, error) {
	f, err := a.Open(id)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	j, _ := a.Job(id)
	s, err := original(f, j)
	if err != nil {
		return nil, fmt.Errorf("read a pack: %w", err)
	}
	return s.m, nil
}

// Inside is one file of a pack. Whoever opens closes it.
type Inside struct {
	*io.SectionReader
	file *os.File
}

// Close closes the pack.
func (i *Inside) Close() error { return i.file.Close() }

// OpenFile opens a clip or the cover sheet of a pack. Anything else is not found,
// whatever its name.
func (a *Archive) OpenFile(id, name string) (*Inside, error) {
	f, err := a.Open(id)
	if err != nil {
		return nil, err
	}
	r, err := a.inside(f, id, name)
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return &Inside{r, f}, nil
}

func (a *Archive) inside(f *os.File, id, name string) (*io.SectionReader, error) {
	j, _ := a.Job(id)
	s, err := original(f, j)
	if err != nil {
		return nil, fmt.Errorf("read a pack: %w", err)
	}
	named := slices.ContainsFunc(s.m.Files, func(x File) bool { return x.File == name }) ||
		slices.ContainsFunc(s.m.Streams, func(x Stream) bool {
			return slices.ContainsFunc(x.Clips, func(c Clip) bool { return c.File == name })
		})
	z := s.a.by[name]
	if !named || z == nil || z.Method != zip.Store {
		return nil, ErrUnknown
	}
	at, err := z.DataOffset()
	if err != nil {
		return nil, fmt.Errorf("find a file of a pack: %w", err)
	}
	return io.NewSectionReader(f, at, int64(z.CompressedSize64)), nil
}
