package decode

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/chargewatch/chargewatch/internal/camera/stream"
)

// ErrSequences: as many whole streams are decoded as may be.
var ErrSequences = errors.New("too many streams are decoded picture by picture")

// maxBehind are the pictures of a stream that may be inside the decoder.
const maxBehind = 64

// Follow decodes every picture of a stream in grey, in a child of its own, until
// next fails, and returns that error. It begins with a key picture. Pictures reach
// each in their order; each must not keep them.
func (p *Pool) Follow(ctx context.Context, camera string, next func(ctx context.Context) (*stream.Unit, error), each func(gray []byte, u *stream.Unit)) error {
	if p.missing != nil {
		return p.missing
	}
	p.mu.Lock()
	if p.sequences >= p.o.Sequences {
		p.mu.Unlock()
		return ErrSequences
	}
	p.sequences++
	p.mu.Unlock()
	defer func() {
		p.mu.Lock()
		p.sequences--
		p.mu.Unlock()
	}()
	var u *stream.Unit
	for u == nil || !u.Key || u.Format == nil {
		var err error
		if u, err = next(ctx); err != nil {
			return err
		}
	}
	d, err := p.start(ctx, class{codec: u.Format.Codec, width: GrayWidth, height: GrayHeight, all: true})
	if err != nil {
		return fmt.Errorf("start a decoder: %w", err)
	}
	defer p.end(d)
	err = p.follow(ctx, d, u, next, each)
	if errors.Is(err, errFault) {
		err = fmt.Errorf("%w: %w", ErrDamaged, err)
		p.mu.Lock()
		p.stats.Damaged++
		p.stats.Restarts++
		c := p.cameras[camera]
		if c == nil {
			c = &cameraState{}
			p.cameras[camera] = c
		}
		c.Damaged++
		c.Fault = err.Error()
		p.mu.Unlock()
	}
	return err
}

func (p *Pool) follow(ctx context.Context, d *child, u *stream.Unit, next func(ctx context.Context) (*stream.Unit, error), each func(gray []byte, u *stream.Unit)) error {
	codec := u.Format.Codec
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	units := make(chan *stream.Unit)
	ended := make(chan error, 1)
	go func() {
		for {
			u, err := next(ctx)
			if err != nil {
				ended <- err
				return
			}
			select {
			case units <- u:
			case <-ctx.Done():
				ended <- ctx.Err()
				return
			}
		}
	}()
	inside := make(map[uint64]*stream.Unit)
	broken := false
	for {
		if u != nil {
			switch {
			case u.Format == nil || u.Format.Codec != codec || u.Size() > maxUnitBytes:
				return fmt.Errorf("%w: the stream became another", errFault)
			case len(inside) > maxBehind:
				return fmt.Errorf("%w: it keeps pictures back", errFault)
			case u.Broken && !u.Key:
				broken = true
			case u.Key:
				broken = false
			}
			if !broken {
				d.ticket = d.ticket/ticketStep*ticketStep + ticketStep
				inside[d.ticket] = u
				d.buf = matroskaPicture(d.buf[:0], d.ticket, u.NALUs)
				if err := d.write(d.buf); err != nil {
					return err
				}
			}
		}
		select {
		case u = <-units:
		case f, ok := <-d.frames:
			u = nil
			switch {
			case !ok:
				return d.fault(orEnd(d.why))
			case f.picture == nil:
			case inside[f.ticket] == nil:
				return fmt.Errorf("%w: a picture came back under a ticket of nobody", errFault)
			default:
				each(f.picture, inside[f.ticket])
				for t := range inside { // in order: those before were left out
					if t <= f.ticket {
						delete(inside, t)
					}
				}
				p.mu.Lock()
				p.stats.Decoded++
				p.mu.Unlock()
			}
		case err := <-ended:
			return err
		}
	}
}

func orEnd(err error) error {
	if err == nil {
		return io.EOF
	}
	return err
}
