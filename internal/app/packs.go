package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path"
	"strings"
	"syscall"

	"github.com/chargewatch/chargewatch/internal/knowledge"
)

// What the folder of packs may hold. Of a larger file only so much is read that
// its size can be refused.
const (
	packFolder = "packs"
	maxPacks   = 100
	maxPack    = 1<<20 + 1
)

// knowing brings our error knowledge and the operator's packs together. A bad
// pack is a warning and stands in the list of packs; the server starts.
func knowing(ctx context.Context, data *os.Root, log *slog.Logger) (*knowledge.Knowledge, error) {
	k, err := knowledge.Open(packs(data)...)
	if err != nil {
		return nil, fmt.Errorf("open the error knowledge: %w", err)
	}
	for _, s := range k.States() {
		for _, f := range s.Faults {
			log.WarnContext(ctx, "error pack refused", "file", packFolder+"/"+f.File, "line", f.Line, "entry", f.Entry, "field", f.Field, "fault", f.Text)
		}
	}
	return k, nil
}

// packs reads the operator's files in the order of their names. What cannot be
// read is handed on as such, to be listed.
func packs(data *os.Root) []knowledge.File {
	list, err := fs.ReadDir(data.FS(), packFolder)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return []knowledge.File{{Name: packFolder, Err: plain(err)}}
	}
	var out []knowledge.File
	for _, item := range list {
		name := item.Name()
		if item.IsDir() || !strings.HasSuffix(name, ".json") || strings.HasPrefix(name, ".") {
			continue
		}
		if len(out) == maxPacks {
			return append(out, knowledge.File{Name: name, Err: fmt.Errorf("more than %d packs: this one and those after it are left out", maxPacks)})
		}
		body, err := readPack(data, path.Join(packFolder, name))
		out = append(out, knowledge.File{Name: name, Data: body, Err: plain(err)})
	}
	return out
}

func readPack(data *os.Root, name string) ([]byte, error) {
	f, err := data.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0) // a pipe must not hold the start
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = errors.New("not a plain file")
	}
	var body []byte
	if err == nil {
		body, err = io.ReadAll(io.LimitReader(f, maxPack))
	}
	return body, errors.Join(err, f.Close())
}

// plain takes the path from an error that says where in our folder it was.
func plain(err error) error {
	var at *fs.PathError
	if errors.As(err, &at) {
		return at.Err
	}
	return err
}
