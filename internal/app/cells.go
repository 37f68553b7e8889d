package app

import (
	"context"
	"time"

	"github.com/chargewatch/chargewatch/internal/usage/history"
	"github.com/chargewatch/chargewatch/internal/usage/rollup"
	"github.com/chargewatch/chargewatch/internal/web"
)

// quarters gives the quarter hours of ports to those who want all of them.
type quarters struct{ *history.Store }

var _ web.Cells = quarters{}

// EachCell tells the cells of ports of which anything is known.
func (q quarters) EachCell(ctx context.Context, sites []string, from, to time.Time, yield func(site, station string, evse int, at time.Time, c *rollup.Cell) error) error {
	ports, err := q.Ports(ctx, sites)
	if err != nil {
		return err
	}
	return q.PortDays(ctx, ports, from, to, func(p *rollup.Port, d *rollup.PortDay) error {
		cells := d.Cells()
		for i := range cells {
			c := &cells[i]
			at := d.Begin.Add(time.Duration(i) * rollup.CellLength)
			whole := int64(rollup.CellLength / time.Millisecond)
			if c.Millis[rollup.Unobserved] >= whole && c.Starts == 0 && c.MilliWh == 0 || sum(c) == 0 {
				continue
			}
			if err := yield(p.Site, p.Station, p.EVSE, at, c); err != nil {
				return err
			}
		}
		return nil
	})
}

func sum(c *rollup.Cell) (n int64) {
	for _, v := range c.Millis {
		n += v
	}
	return n
}
