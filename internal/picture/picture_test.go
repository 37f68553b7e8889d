package picture

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// quarters is a picture whose four corners can be told apart.
func quarters(w, h int) *image.RGBA {
	m := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			c := color.RGBA{255, 0, 0, 255} // upper left
			switch {
			case x >= w/2 && y < h/2:
				c = color.RGBA{0, 255, 0, 255}
			case x < w/2 && y >= h/2:
				c = color.RGBA{0, 0, 255, 255}
			case x >= w/2:
				c = color.RGBA{255, 255, 255, 255}
			}
			m.SetRGBA(x, y, c)
		}
	}
	return m
}

// corners names the colours of a picture's corners, from the upper left, by row.
func corners(m image.Image) string {
	b := m.Bounds()
	var out []byte
	for _, p := range []image.Point{{b.Dx() / 4, b.Dy() / 4}, {b.Dx() * 3 / 4, b.Dy() / 4}, {b.Dx() / 4, b.Dy() * 3 / 4}, {b.Dx() * 3 / 4, b.Dy() * 3 / 4}} {
		r, g, bl, _ := m.At(p.X, p.Y).RGBA()
		switch {
		case r > 0xc000 && g > 0xc000 && bl > 0xc000:
			out = append(out, 'w')
		case r > 0xc000 && g < 0x4000 && bl < 0x4000:
			out = append(out, 'r')
		case g > 0xc000 && r < 0x4000:
			out = append(out, 'g')
		case bl > 0xc000 && r < 0x4000:
			out = append(out, 'b')
		default:
			out = append(out, '?')
		}
	}
	return string(out)
}

func asJPEG(t testing.TB, m image.Image) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := jpeg.Encode(&out, m, &jpeg.Options{Quality: 95}); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func asPNG(t testing.TB, m image.Image) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := png.Encode(&out, m); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// located puts a header into a JPEG as phones do: how it was held, and where.
func located(data []byte, held uint16, order binary.AppendByteOrder) []byte {
	head := "II*\x00"
	if order == binary.BigEndian {
		head = "MM\x00*"
	}
	tiff := order.AppendUint32([]byte(head), 8)
	tiff = order.AppendUint16(tiff, 2)
	for _, e := range []struct{ tag, kind, value uint16 }{{0x0100, 3, 640}, {0x0112, 3, held}} {
		tiff = order.AppendUint16(order.AppendUint16(tiff, e.tag), e.kind)
		tiff = order.AppendUint16(order.AppendUint16(order.AppendUint32(tiff, 1), e.value), 0)
	}
	body := append([]byte("Exif\x00\x00"), tiff...)
	body = append(body, "GPS 53.5511N 9.9937E"...)
	segment := binary.BigEndian.AppendUint16([]byte{0xff, 0xe1}, uint16(len(body)+2))
	return slices.Concat(data[:2], segment, body, data[2:])
}

func decoded(t testing.TB, data []byte) image.Image {
	t.Helper()
	m, err := jpeg.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestAPhotoIsTurnedAsItWasHeld(t *testing.T) {
	plain := asJPEG(t, quarters(80, 40))
	for held, want := range map[uint16]string{1: "rgbw", 2: "grwb", 3: "wbgr", 4: "bwrg", 5: "rbgw", 6: "brwg", 7: "wgbr", 8: "gwrb", 0: "rgbw", 9: "rgbw"} {
		for name, order := range map[string]binary.AppendByteOrder{"little": binary.LittleEndian, "big": binary.BigEndian} {
			p, err := Read(located(plain, held, order))
			if err != nil {
				t.Fatal(err)
			}
			m := decoded(t, p.Full)
			if got := corners(m); got != want {
				t.Errorf("held %d (%s endian): corners %s, want %s", held, name, got, want)
			}
			if tall := m.Bounds().Dy() > m.Bounds().Dx(); tall != (held >= 5 && held <= 8) || p.Width != m.Bounds().Dx() || p.Height != m.Bounds().Dy() {
				t.Errorf("held %d: %v, said to be %d x %d", held, m.Bounds(), p.Width, p.Height)
			}
		}
	}
}

func TestOnlyPixelsAreKept(t *testing.T) {
	secret := []byte("GPS 53.5511N 9.9937E")
	hidden := append(located(asJPEG(t, quarters(80, 40)), 1, binary.LittleEndian), "<script>alert(1)</script>"...)
	for name, data := range map[string][]byte{"a place": hidden, "a page behind the pixels": append(asPNG(t, quarters(8, 8)), "<script>"...)} {
		p, err := Read(data)
		if err != nil {
			t.Fatal(name, err)
		}
		for _, kept := range [][]byte{p.Full, p.Small} {
			if bytes.Contains(kept, secret) || bytes.Contains(kept, []byte("<script>")) || bytes.Contains(kept, []byte("Exif")) {
				t.Errorf("%s was kept", name)
			}
		}
	}
}

func TestPhotosAreMadeSmaller(t *testing.T) {
	for name, tt := range map[string]struct{ w, h, wantW, wantH, smallW, smallH int }{
		"as a phone takes them": {4000, 3000, 2048, 1536, 400, 300},
		"small ones stay":       {300, 200, 300, 200, 300, 200},
		"a very long one":       {12_000, 2, 2048, 1, 400, 1},
	} {
		p, err := Read(asPNG(t, quarters(tt.w, tt.h)))
		if err != nil {
			t.Fatal(name, err)
		}
		full, small := decoded(t, p.Full).Bounds().Size(), decoded(t, p.Small).Bounds().Size()
		if full != image.Pt(tt.wantW, tt.wantH) || small != image.Pt(tt.smallW, tt.smallH) || p.Width != tt.wantW || p.Height != tt.wantH {
			t.Errorf("%s: %v and %v", name, full, small)
		}
	}
	glass := image.NewNRGBA(image.Rect(0, 0, 16, 16)) // all transparent
	p, err := Read(asPNG(t, glass))
	if err != nil {
		t.Fatal(err)
	}
	if got := corners(decoded(t, p.Full)); got != "wwww" {
		t.Errorf("what is transparent became %s", got)
	}
}

// claiming is the head of a PNG that says how large it is.
func claiming(w, h uint32) []byte {
	body := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32([]byte("IHDR"), w), h)
	body = append(body, 8, 2, 0, 0, 0)
	out := binary.BigEndian.AppendUint32([]byte("\x89PNG\r\n\x1a\n"), 13)
	return binary.BigEndian.AppendUint32(append(out, body...), crc32.ChecksumIEEE(body))
}

func TestWhatIsNoPhotoIsRefused(t *testing.T) {
	whole := asJPEG(t, quarters(80, 40))
	for name, tt := range map[string]struct {
		data []byte
		want error
	}{
		"nothing":             {nil, ErrKind},
		"a page":              {[]byte("<svg onload=alert(1)>"), ErrKind},
		"a GIF":               {[]byte("GIF89a..."), ErrKind},
		"half a photo":        {whole[:len(whole)/2], ErrBad},
		"a head alone":        {[]byte("\xff\xd8\xff"), ErrBad},
		"a bomb":              {claiming(12_000, 12_000), ErrSize},
		"a bomb on one side":  {claiming(200_000, 1), ErrSize},
		"a bomb of nothing":   {claiming(0, 1), ErrBad},
		"more than is taken":  {append(whole, make([]byte, MaxBytes)...), ErrBig},
		"pixels that are not": {claiming(10, 10), ErrBad},
	} {
		if _, err := Read(tt.data); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", name, err, tt.want)
		}
	}
}

func TestAFolderKeepsBothSizes(t *testing.T) {
	dir := t.TempDir()
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	f, err := Open(root, "photos")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Open(root, "photos"); err != nil {
		t.Fatal("a second time:", err)
	}
	p := &Photo{Full: []byte("full"), Small: []byte("small")}
	if err := f.Put("ph-abcdefgh", p); err != nil {
		t.Fatal(err)
	}
	for small, want := range map[bool]string{true: "small", false: "full"} {
		file, err := f.Open("ph-abcdefgh", small)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(file); err != nil || string(got) != want {
			t.Errorf("%q, %v; want %q", got, err, want)
		}
		file.Close()
	}
	if info, err := os.Stat(filepath.Join(dir, "photos", "ph-abcdefgh.jpg")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
	for range 2 {
		if err := f.Remove("ph-abcdefgh"); err != nil {
			t.Error(err)
		}
	}
	if _, err := f.Open("ph-abcdefgh", false); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	for _, bad := range []string{"", "..", "../core.db", "ph-/../../x", "PH-ABCDEFGH", "ph abcdefgh", "ph-abcdefgh\x00"} {
		if err := f.Put(bad, p); err == nil {
			t.Errorf("%q was taken", bad)
		}
		if _, err := f.Open(bad, false); err == nil {
			t.Errorf("%q was opened", bad)
		}
		if err := f.Remove(bad); err == nil {
			t.Errorf("%q was removed", bad)
		}
	}
}

func FuzzRead(f *testing.F) {
	plain := asJPEG(f, quarters(16, 8))
	f.Add(plain)
	f.Add(located(plain, 6, binary.LittleEndian))
	f.Add(located(plain, 8, binary.BigEndian))
	f.Add(asPNG(f, quarters(4, 4)))
	f.Add(claiming(1, 1))
	f.Fuzz(func(t *testing.T, data []byte) {
		if c, _, err := image.DecodeConfig(bytes.NewReader(data)); err == nil && c.Width*c.Height > 1<<20 {
			return // slow, not wrong
		}
		p, err := Read(data)
		if err != nil {
			if !errors.Is(err, ErrBad) && !errors.Is(err, ErrKind) && !errors.Is(err, ErrSize) && !errors.Is(err, ErrBig) {
				t.Fatal(err)
			}
			return
		}
		if m := decoded(t, p.Full); m.Bounds().Dx() != p.Width || m.Bounds().Dy() != p.Height || max(p.Width, p.Height) > fullSide {
			t.Fatalf("%v, said to be %d x %d", m.Bounds(), p.Width, p.Height)
		}
	})
}
