package preview

import (
	"context"

	"github.com/chargewatch/chargewatch/internal/camera/decode"
	"github.com/chargewatch/chargewatch/internal/camera/stream"
)

// Shared is a decoder for whoever looks for motion, whose pictures become previews
// as well.
type Shared struct {
	*decode.Pool
	Previews *Service
}

// Gray is Pool.Gray, decoded in colour.
func (d Shared) Gray(ctx context.Context, camera string, u *stream.Unit) ([]byte, error) {
	m, err := d.Small(ctx, camera, u)
	if err != nil {
		return nil, err
	}
	d.Previews.Offer(camera, u, m)
	return m.Y, nil
}
