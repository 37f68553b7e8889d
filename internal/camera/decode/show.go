package decode

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/jpeg"

	"github.com/chargewatch/chargewatch/internal/camera/area"
	"github.com/chargewatch/chargewatch/internal/camera/stream"
)

// Bounds of coloured pictures.
const (
	maxShowWidth = 1920
	minShowWidth = 64
)

// Look says how a coloured picture is to be.
type Look struct {
	// Width in pixels; 0: 1280. A picture is never made larger than it is.
	Width int
	// Quality of a JPEG, 1 to 100; 0: 80.
	Quality int
	// Hide are the areas that nobody may see: they are made one colour before
	// anything is encoded.
	Hide []area.Polygon
}

// JPEG is the picture of a key unit as a JPEG of usual size.
func (p *Pool) JPEG(ctx context.Context, u *stream.Unit) ([]byte, error) {
	return p.Show(ctx, "", u, Look{})
}

// Show is the picture of a key unit as a JPEG that looks as asked for.
func (p *Pool) Show(ctx context.Context, camera string, u *stream.Unit, l Look) ([]byte, error) {
	m, err := p.Image(ctx, camera, u, l)
	if err != nil {
		return nil, err
	}
	quality := l.Quality
	if quality <= 0 || quality > 100 {
		quality = 80
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, m, &jpeg.Options{Quality: quality}); err != nil {
		return nil, fmt.Errorf("write a JPEG: %w", err)
	}
	return b.Bytes(), nil
}

// Image is the picture of a key unit in colour. Without the name of a camera nobody
// waits for another picture of it, and nothing is counted against it.
func (p *Pool) Image(ctx context.Context, camera string, u *stream.Unit, l Look) (*image.YCbCr, error) {
	w, h := showSize(u, l.Width)
	b, err := p.decode(ctx, camera, u, class{colour: true, width: w, height: h}, p.colour)
	if err != nil {
		return nil, err
	}
	m := planes(b, w, h)
	for _, p := range l.Hide {
		Hide(m, p)
	}
	return m, nil
}

// Small is the picture of a key unit in colour, GrayWidth x GrayHeight. Its light is
// what Gray returns, so that whoever needs both has it decoded once: the colours
// cost a tenth of a millisecond more.
func (p *Pool) Small(ctx context.Context, camera string, u *stream.Unit) (*image.YCbCr, error) {
	b, err := p.decode(ctx, camera, u, class{colour: true, watched: true, width: GrayWidth, height: GrayHeight}, p.gray)
	if err != nil {
		return nil, err
	}
	return planes(b, GrayWidth, GrayHeight), nil
}

// planes makes an image of what a child wrote.
func planes(b []byte, w, h int) *image.YCbCr {
	half := w * h / 4
	return &image.YCbCr{
		Y: b[:w*h], Cb: b[w*h : w*h+half], Cr: b[w*h+half:],
		YStride: w, CStride: w / 2, SubsampleRatio: image.YCbCrSubsampleRatio420, Rect: image.Rect(0, 0, w, h),
	}
}

// showSize fits a picture into width, with even sides.
func showSize(u *stream.Unit, width int) (int, int) {
	if width <= 0 {
		width = 1280
	}
	w, h := 16, 9
	if u != nil && u.Format != nil && u.Format.Width > 0 && u.Format.Height > 0 {
		w, h = u.Format.Width, u.Format.Height
		width = min(width, w)
	}
	width = min(max(width, minShowWidth), maxShowWidth)
	height := min(max(width*h/w, minShowWidth), 2*maxShowWidth)
	return width &^ 1, height &^ 1
}

// Hide makes an area one grey. Whatever it touches of a pixel of colour belongs to
// it.
func Hide(m *image.YCbCr, p area.Polygon) {
	columns, rows := m.Rect.Dx()/2, m.Rect.Dy()/2
	for row := range rows {
		for _, s := range p.Cover(row, columns, rows) {
			from, to := s[0], s[1]
			for _, y := range []int{2 * row, 2*row + 1} {
				fill(m.Y[y*m.YStride+2*from:y*m.YStride+2*to], 96)
			}
			fill(m.Cb[row*m.CStride+from:row*m.CStride+to], 128)
			fill(m.Cr[row*m.CStride+from:row*m.CStride+to], 128)
		}
	}
}

func fill(b []byte, v byte) {
	for i := range b {
		b[i] = v
	}
}
