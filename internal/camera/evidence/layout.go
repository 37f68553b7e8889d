package evidence

import (
	"archive/zip"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
)

// Bounds of an archive, looked at before it is opened.
const (
	maxDirectory = 256 << 20
	maxEntries   = maxFiles + 16
	// maxGrowth is how much larger files may be than the archive that holds them:
	// pictures do not shrink, so nothing of ours comes near.
	maxGrowth = 20
)

// errLayout says that an archive holds more than its files.
var errLayout = errors.New("the archive holds something beside its files")

// archive is a pack as one file.
type archive struct {
	z      *zip.Reader
	by     map[string]*zip.File // the first of each name
	budget int64                // of what may still be unpacked
}

// openArchive opens an archive of bounded effort. Whoever unpacks it must see what
// we see: nothing before, between or behind the files, and no second directory.
func openArchive(r io.ReaderAt, size int64) (*archive, error) {
	end, err := directoryEnd(r, size)
	if err != nil {
		return nil, err
	}
	z, err := zip.NewReader(r, size)
	if err != nil {
		return nil, fmt.Errorf("the archive is cut off or is none: %w", err)
	}
	a := &archive{z: z, by: make(map[string]*zip.File, len(z.File)), budget: maxGrowth * max(size, 1<<20)}
	for _, f := range z.File {
		if f.Method != zip.Store && f.Method != zip.Deflate {
			return nil, fmt.Errorf("%q is packed in a way that is not ours: %w", f.Name, errLayout)
		}
		if _, ok := a.by[f.Name]; !ok {
			a.by[f.Name] = f
		}
	}
	if err := dense(r, z, end); err != nil {
		return nil, err
	}
	return a, nil
}

// directory is where the list of files lies.
type directory struct{ from, to int64 }

// directoryEnd finds the list of files (APPNOTE 4.3.16, 4.3.14) and looks at how
// long it is. An archive of ours ends with it.
func directoryEnd(r io.ReaderAt, size int64) (directory, error) {
	const short, long, locator = 22, 56, 20
	b := make([]byte, short)
	if size < short {
		return directory{}, fmt.Errorf("the archive is cut off or is none: %w", io.ErrUnexpectedEOF)
	}
	if err := readAt(r, b, size-short); err != nil {
		return directory{}, err
	}
	if string(b[:4]) != "PK\x05\x06" {
		return directory{}, fmt.Errorf("the archive is cut off, is none, or something follows it: %w", errLayout)
	}
	le := binary.LittleEndian
	if le.Uint16(b[20:]) != 0 {
		return directory{}, fmt.Errorf("the archive has a comment: %w", errLayout)
	}
	entries, length, from, to := uint64(le.Uint16(b[10:])), uint64(le.Uint32(b[12:])), uint64(le.Uint32(b[16:])), size-short
	if entries == 1<<16-1 || length == 1<<32-1 || from == 1<<32-1 {
		x := make([]byte, locator+long)
		if to < int64(len(x)) {
			return directory{}, fmt.Errorf("the archive is cut off: %w", errLayout)
		}
		to -= int64(len(x))
		if err := readAt(r, x, to); err != nil {
			return directory{}, err
		}
		if string(x[:4]) != "PK\x06\x06" || string(x[long:long+4]) != "PK\x06\x07" {
			return directory{}, fmt.Errorf("the end of the archive is not whole: %w", errLayout)
		}
		entries, length, from = le.Uint64(x[32:]), le.Uint64(x[40:]), le.Uint64(x[48:])
	}
	if entries > maxEntries || length > maxDirectory {
		return directory{}, fmt.Errorf("%d files in the archive: %w", entries, errLayout)
	}
	if from > uint64(size) || int64(from)+int64(length) != to {
		return directory{}, fmt.Errorf("its list of files does not end where the archive does: %w", errLayout)
	}
	return directory{int64(from), to}, nil
}

func readAt(r io.ReaderAt, b []byte, at int64) error {
	if n, err := r.ReadAt(b, at); n < len(b) {
		return fmt.Errorf("read the archive: %w", cmp.Or(err, io.ErrUnexpectedEOF))
	}
	return nil
}

// dense walks through the files from the first byte to the list of them.
func dense(r io.ReaderAt, z *zip.Reader, end directory) error {
	type place struct{ from, size int64 }
	places := make([]place, 0, len(z.File))
	for _, f := range z.File {
		from, err := f.DataOffset()
		if err != nil {
			return fmt.Errorf("find %q in the archive: %w", f.Name, err)
		}
		if f.CompressedSize64 > uint64(end.from) {
			return fmt.Errorf("%q is longer than the archive: %w", f.Name, errLayout)
		}
		places = append(places, place{from, int64(f.CompressedSize64)})
	}
	slices.SortFunc(places, func(a, b place) int { return cmp.Compare(a.from, b.from) })
	at, head := int64(0), make([]byte, 30)
	for _, x := range places {
		if err := readAt(r, head, at); err != nil {
			return err
		}
		begin := at + 30 + int64(binary.LittleEndian.Uint16(head[26:])) + int64(binary.LittleEndian.Uint16(head[28:]))
		if string(head[:4]) != "PK\x03\x04" || begin != x.from {
			return fmt.Errorf("at byte %d lies what belongs to no file: %w", at, errLayout)
		}
		at = x.from + x.size
		if head[6]&8 == 0 {
			continue
		}
		behind, err := descriptor(r, at, end.from)
		if err != nil {
			return err
		}
		at += behind
	}
	if at != end.from {
		return fmt.Errorf("%d bytes before the list of files belong to no file: %w", end.from-at, errLayout)
	}
	return nil
}

// descriptor is how long the note behind a file is that was written without knowing
// its size (APPNOTE 4.3.9): the next thing begins behind it.
func descriptor(r io.ReaderAt, at, end int64) (int64, error) {
	b := make([]byte, 4)
	for _, n := range []int64{16, 24, 12, 20} {
		if at+n == end {
			return n, nil
		}
		if at+n+4 > end {
			continue
		}
		if err := readAt(r, b, at+n); err != nil {
			return 0, err
		}
		if string(b) == "PK\x03\x04" {
			return n, nil
		}
	}
	return 0, fmt.Errorf("behind byte %d nothing begins: %w", at, errLayout)
}

// open reads what was stored without looking at the archive's own checksum: our
// sums say more.
func (a *archive) open(name string) (io.ReadCloser, error) {
	f := a.by[name]
	if f == nil {
		return nil, fs.ErrNotExist
	}
	if f.Method == zip.Store {
		r, err := f.OpenRaw()
		return io.NopCloser(r), err
	}
	r, err := f.Open()
	if err != nil {
		return nil, err
	}
	return &budgeted{r, &a.budget}, nil
}

func (a *archive) names() ([]string, error) {
	out := make([]string, 0, len(a.z.File))
	for _, f := range a.z.File {
		out = append(out, f.Name)
	}
	return out, nil
}

// budgeted ends what unpacks to far more than it was.
type budgeted struct {
	io.ReadCloser
	left *int64
}

var errGrowth = errors.New("the archive unpacks to far more than it is")

func (b *budgeted) Read(p []byte) (int, error) {
	if *b.left <= 0 {
		return 0, errGrowth
	}
	n, err := b.ReadCloser.Read(p[:min(int64(len(p)), *b.left)])
	*b.left -= int64(n)
	return n, err
}
