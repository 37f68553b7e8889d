package evidence_test

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"encoding/binary"
	"hash/crc32"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/camera/evidence"
)

// comment makes an archive with a comment of it.
func comment(t *testing.T, raw []byte, text string) []byte {
	t.Helper()
	out := bytes.Clone(raw)
	binary.LittleEndian.PutUint16(out[len(out)-2:], uint16(len(text)))
	return append(out, text...)
}

// moved puts bytes in front of an archive and mends the places it names.
func moved(t *testing.T, raw, front []byte) []byte {
	t.Helper()
	list := unpack(t, raw)
	var buf bytes.Buffer
	buf.Write(front)
	z := zip.NewWriter(&buf)
	z.SetOffset(int64(len(front)))
	for _, f := range list {
		w, err := z.CreateHeader(&zip.FileHeader{Name: f.name, Method: zip.Store})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(f.content); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

// packed deflates all files, as most programs do.
func packed(t *testing.T, list []file) []byte {
	t.Helper()
	var buf bytes.Buffer
	z := zip.NewWriter(&buf)
	for _, f := range list {
		w, err := z.Create(f.name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(f.content); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

// bomb is an archive whose one segment unpacks to very much.
func bomb(t *testing.T, list []file, name string) []byte {
	t.Helper()
	var small bytes.Buffer
	w, err := flate.NewWriter(&small, flate.BestCompression)
	if err != nil {
		t.Fatal(err)
	}
	const size = 1 << 30
	sum, zeros := crc32.NewIEEE(), make([]byte, 1<<20)
	for range size / len(zeros) {
		sum.Write(zeros)
		if _, err := w.Write(zeros); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	var buf bytes.Buffer
	z := zip.NewWriter(&buf)
	for _, f := range list {
		head := &zip.FileHeader{Name: f.name, Method: zip.Store, CRC32: crc32.ChecksumIEEE(f.content), CompressedSize64: uint64(len(f.content)), UncompressedSize64: uint64(len(f.content))}
		content := f.content
		if f.name == name {
			head.Method, head.CRC32, content = zip.Deflate, sum.Sum32(), small.Bytes()
			head.CompressedSize64, head.UncompressedSize64 = uint64(small.Len()), size
		}
		out, err := z.CreateRaw(head)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := out.Write(content); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

func TestAnArchiveHoldsItsFilesAndNothingElse(t *testing.T) {
	p := filmed(t, 3*time.Minute)
	raw := p.export(t, 2*time.Minute)
	list := func() []file { return unpack(t, raw) }
	const a = "segments/gate/main/00000001.mp4"
	for sentence, c := range map[string]struct {
		raw   []byte
		kinds []string
		says  string
	}{
		"as it was made":                          {raw, nil, ""},
		"packed again by another program":         {packed(t, list()), nil, ""},
		"with bytes behind it":                    {append(bytes.Clone(raw), "hidden"...), []string{"archive"}, "something follows it"},
		"with a comment":                          {comment(t, raw, "hidden"), []string{"archive"}, "something follows it"},
		"with bytes before it":                    {moved(t, raw, []byte("#!/bin/sh\nexit\n")), []string{"archive"}, "belongs to no file"},
		"with another archive before it":          {moved(t, raw, packed(t, []file{{"a.txt", []byte("x")}})), []string{"archive"}, "belong"},
		"a name that leads out of it":             {repack(t, append(list(), file{"../../etc/passwd", []byte("x")})), []string{"unknown"}, "../../etc/passwd"},
		"a name with a root":                      {repack(t, append(list(), file{"/etc/passwd", []byte("x")})), []string{"unknown"}, "/etc/passwd"},
		"a name that writes over a terminal":      {repack(t, append(list(), file{"a\x1b[2J\rwhole", []byte("x")})), []string{"unknown"}, "a\uFFFD[2J\uFFFDwhole"},
		"a second manifest":                       {repack(t, append(list(), file{"manifest.json", []byte("{}")})), []string{"unknown"}, "is there twice"},
		"a second manifest in front":              {repack(t, append([]file{{"manifest.json", []byte("{}")}}, list()...)), []string{"signature", "manifest"}, "version 0"},
		"a manifest in other letters":             {repack(t, append(list(), file{"Manifest.json", []byte("{}")})), []string{"unknown"}, "Manifest.json"},
		"a segment under another name":            {repack(t, renamed(list(), a, "segments/gate/main/00000009.mp4")), []string{"removed", "unknown"}, "00000009"},
		"a segment that unpacks to a thousand MB": {bomb(t, list(), a), []string{"changed"}, "unpacks to far more"},
		"the cover sheet is another":              {repack(t, edited(list(), "COVER.html", "cable theft", "nothing here")), []string{"grown"}, "COVER.html"},
		"the fingerprint in the text is another":  {repack(t, edited(list(), "README.txt", "1. ", "2. ")), []string{"changed"}, "README.txt"},
	} {
		t.Run(sentence, func(t *testing.T) {
			r := evidence.VerifyArchive(bytes.NewReader(c.raw), int64(len(c.raw)), evidence.Trust{Key: p.key.Public()})
			var texts []string
			for _, f := range r.Faults {
				texts = append(texts, f.String())
			}
			if got := kindsOf(r); !slices.Equal(got, append([]string{}, c.kinds...)) || !strings.Contains(strings.Join(texts, "\n"), c.says) {
				t.Errorf("found %v: %s", got, strings.Join(texts, "\n"))
			}
			if r.Whole() != (c.kinds == nil) {
				t.Errorf("whole: %v", r.Whole())
			}
		})
	}
}

func renamed(list []file, from, to string) []file {
	list[index(list, from)].name = to
	return list
}

func edited(list []file, name, from, to string) []file {
	i := index(list, name)
	list[i].content = bytes.Replace(list[i].content, []byte(from), []byte(to), 1)
	return list
}

// An archive that claims more files than there can be is not read.
func TestAnArchiveThatClaimsTooMuchIsNotRead(t *testing.T) {
	end := make([]byte, 22)
	copy(end, "PK\x05\x06")
	binary.LittleEndian.PutUint16(end[10:], 1<<16-2)
	binary.LittleEndian.PutUint32(end[12:], 1<<31)
	for sentence, raw := range map[string][]byte{
		"a list of files larger than itself": end,
		"nothing":                            {},
		"no archive":                         []byte("this is no archive, and longer than one's end"),
	} {
		t.Run(sentence, func(t *testing.T) {
			r := evidence.VerifyArchive(bytes.NewReader(raw), int64(len(raw)), evidence.Trust{})
			if got := kindsOf(r); !slices.Equal(got, []string{"archive"}) || r.Whole() {
				t.Errorf("found %v", r.Faults)
			}
		})
	}
}
