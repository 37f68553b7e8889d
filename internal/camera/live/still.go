package live

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	"sync"
	"time"

	"github.com/chargewatch/chargewatch/internal/camera/stream"
)

// Polygon is a part of the picture; corners are shares of its width and height.
type Polygon [][2]float64

// Picture is one picture as JPEG.
type Picture struct {
	JPEG []byte
	At   time.Time
}

// still keeps the newest single picture of a stream, so that many who ask for it
// cost one decoding.
type still struct {
	mu     sync.Mutex
	unit   *stream.Unit
	plain  []byte
	masked []byte
	mask   string
}

const (
	maxPicturePixels = 64 << 20
	stillQuality     = 80
)

// Still returns the newest key picture, which is of now or an error. Where mask
// names parts of the picture, they are painted over.
func (s *Service) Still(ctx context.Context, camera, name string, mask []Polygon) (Picture, error) {
	if s.o.Decoder == nil {
		return Picture{}, ErrNoDecoder
	}
	hub, release, err := s.o.Hubs.Hub(camera, name)
	if err != nil {
		return Picture{}, err
	}
	defer release()
	u, err := current(ctx, hub)
	if err != nil {
		return Picture{}, err
	}
	at := place{camera, name}
	s.mu.Lock()
	x := s.stills[at]
	if x == nil {
		x = &still{}
		s.stills[at] = x
	}
	s.mu.Unlock()
	data, err := x.picture(ctx, s.o.Decoder, u, mask)
	if err != nil {
		return Picture{}, err
	}
	return Picture{JPEG: data, At: u.At}, nil
}

func (x *still) picture(ctx context.Context, d Decoder, u *stream.Unit, mask []Polygon) ([]byte, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.unit != u {
		data, err := d.JPEG(ctx, u)
		if err != nil {
			return nil, fmt.Errorf("decode a picture: %w", err)
		}
		x.unit, x.plain, x.masked = u, data, nil
	}
	if len(mask) == 0 {
		return x.plain, nil
	}
	if key := fmt.Sprint(mask); x.masked == nil || x.mask != key {
		data, err := paintOver(x.plain, mask)
		if err != nil {
			return nil, err
		}
		x.masked, x.mask = data, key
	}
	return x.masked, nil
}

// paintOver hides parts of a picture. What is hidden is not in the result.
func paintOver(data []byte, mask []Polygon) ([]byte, error) {
	head, err := jpeg.DecodeConfig(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("read a picture: %w", err)
	}
	if head.Width*head.Height > maxPicturePixels {
		return nil, fmt.Errorf("a picture of %d x %d is too large to be masked", head.Width, head.Height)
	}
	from, err := jpeg.Decode(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("read a picture: %w", err)
	}
	b := from.Bounds()
	to := image.NewRGBA(image.Rect(0, 0, b.Dx(), b.Dy()))
	draw.Draw(to, to.Bounds(), from, b.Min, draw.Src)
	for _, p := range mask {
		fill(to, p)
	}
	var out bytes.Buffer
	if err := jpeg.Encode(&out, to, &jpeg.Options{Quality: stillQuality}); err != nil {
		return nil, fmt.Errorf("write a picture: %w", err)
	}
	return out.Bytes(), nil
}

// fill paints every pixel that the polygon touches with its middle or that lies on
// its edge's line, even-odd.
func fill(to *image.RGBA, p Polygon) {
	w, h := float64(to.Rect.Dx()), float64(to.Rect.Dy())
	hide := color.RGBA{24, 26, 30, 255}
	for y := range to.Rect.Dy() {
		line := (float64(y) + 0.5) / h
		var cuts []float64
		for i, a := range p {
			b := p[(i+1)%len(p)]
			if (a[1] <= line) == (b[1] <= line) {
				continue
			}
			cuts = append(cuts, a[0]+(line-a[1])/(b[1]-a[1])*(b[0]-a[0]))
		}
		for i := 1; i < len(cuts); i++ {
			for j := i; j > 0 && cuts[j] < cuts[j-1]; j-- {
				cuts[j], cuts[j-1] = cuts[j-1], cuts[j]
			}
		}
		for i := 0; i+1 < len(cuts); i += 2 {
			from, until := int(cuts[i]*w), int(cuts[i+1]*w)
			for x := max(from, 0); x <= min(until, to.Rect.Dx()-1); x++ {
				to.SetRGBA(x, y, hide)
			}
		}
	}
}
