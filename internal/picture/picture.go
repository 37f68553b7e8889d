// Package picture turns photos that people send into pixels and nothing else,
// and keeps them as files.
//
// It promises that what is kept was decoded and encoded anew by us: the place
// where a photo was taken, a script behind the pixels and whatever else a file
// can hold are gone. How large a picture is gets checked before a pixel of it
// is decoded; what kind it is says its content, never its name.
package picture

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	"image/png"
)

// Bounds of a picture that is taken.
const (
	MaxBytes  = 10 << 20
	MaxPixels = 40_000_000
	MaxSide   = 12_000
)

// Errors that say what is wrong with a picture, in words for who sent it.
var (
	ErrKind = errors.New("only PNG and JPEG pictures are taken")
	ErrSize = fmt.Errorf("at most %d million pixels, and %d on a side", MaxPixels/1_000_000, MaxSide)
	ErrBad  = errors.New("the picture cannot be read")
	ErrBig  = fmt.Errorf("the picture is too large: at most %d MiB", MaxBytes>>20)
)

// Photo is a picture as we keep it: JPEG, upright, in two sizes.
type Photo struct {
	Width, Height int
	Full, Small   []byte
}

// How long the longer side of the two sizes is, in pixels. Letters on a type
// plate are legible in the full one.
const (
	fullSide  = 2048
	smallSide = 400
)

// Read decodes a photo, turns it as its camera says and encodes it anew. A
// large one takes 250 MB for a moment: callers read one at a time.
func Read(data []byte) (*Photo, error) {
	if len(data) > MaxBytes {
		return nil, ErrBig
	}
	decode, config, turn := jpeg.Decode, jpeg.DecodeConfig, upright
	switch {
	case bytes.HasPrefix(data, []byte("\xff\xd8\xff")):
		turn = orientation(data)
	case bytes.HasPrefix(data, []byte("\x89PNG\r\n\x1a\n")):
		decode, config = png.Decode, png.DecodeConfig
	default:
		return nil, ErrKind
	}
	c, err := config(bytes.NewReader(data))
	if err != nil {
		return nil, ErrBad
	}
	if c.Width < 1 || c.Height < 1 || c.Width > MaxSide || c.Height > MaxSide || c.Width*c.Height > MaxPixels {
		return nil, ErrSize
	}
	whole, err := decode(bytes.NewReader(data))
	if err != nil {
		return nil, ErrBad
	}
	full := turn.apply(shrink(whole, fullSide))
	p := &Photo{Width: full.Rect.Dx(), Height: full.Rect.Dy()}
	if p.Full, err = encode(full, 84); err != nil {
		return nil, err
	}
	if p.Small, err = encode(shrink(full, smallSide), 76); err != nil {
		return nil, err
	}
	return p, nil
}

func encode(m image.Image, quality int) ([]byte, error) {
	var out bytes.Buffer
	if err := jpeg.Encode(&out, m, &jpeg.Options{Quality: quality}); err != nil {
		return nil, fmt.Errorf("encode a picture: %w", err)
	}
	return out.Bytes(), nil
}

// shrink makes a picture no longer than side: each pixel is the mean of those
// that it stands for. It goes row by row, so that no second copy of a large
// picture is made; what is transparent becomes white.
func shrink(m image.Image, side int) *image.RGBA {
	from := m.Bounds()
	w, h := from.Dx(), from.Dy()
	toW, toH := w, h
	if longest := max(w, h); longest > side {
		toW, toH = max(1, w*side/longest), max(1, h*side/longest)
	}
	out := image.NewRGBA(image.Rect(0, 0, toW, toH))
	row := image.NewRGBA(image.Rect(0, 0, w, 1))
	sums, counts := make([]uint64, 3*toW), make([]uint64, toW)
	for y := range h {
		draw.Draw(row, row.Rect, image.NewUniform(color.White), image.Point{}, draw.Src)
		draw.Draw(row, row.Rect, m, image.Pt(from.Min.X, from.Min.Y+y), draw.Over)
		for x := range w {
			to, at := x*toW/w, 4*x
			sums[3*to] += uint64(row.Pix[at])
			sums[3*to+1] += uint64(row.Pix[at+1])
			sums[3*to+2] += uint64(row.Pix[at+2])
			counts[to]++
		}
		if toY := y * toH / h; y == h-1 || (y+1)*toH/h != toY {
			for x := range toW {
				pix := out.Pix[out.PixOffset(x, toY):]
				n := counts[x]
				pix[0], pix[1], pix[2], pix[3] = byte((sums[3*x]+n/2)/n), byte((sums[3*x+1]+n/2)/n), byte((sums[3*x+2]+n/2)/n), 0xff
			}
			clear(sums)
			clear(counts)
		}
	}
	return out
}
