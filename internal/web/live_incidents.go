package web

import (
	"context"
	"encoding/json"
	"time"
)

// followIncidents passes changes of incidents on to the feed, at once.
func (h *hub) followIncidents(ctx context.Context) {
	for ctx.Err() == nil {
		for in, err := range h.s.o.OpenIncidents.Follow(ctx) {
			if err != nil {
				// Clients that were not told of a change ask for the list again.
				h.do(func() {
					for c := range h.clients {
						c.overflow = c.overflow || c.topics["incidents"]
					}
				})
				break
			}
			x := heard{topic: "incidents", frame: "incident", site: in.SiteID, urgent: true, private: in.SiteID == ""}
			if in.Discreet() {
				x.needs = PeopleRead
			}
			for _, staff := range []bool{true, false} {
				data, err := json.Marshal(h.s.incidentShape(in, staff))
				if err != nil {
					h.s.log.WarnContext(ctx, "incident not encoded", "incident", in.ID, "err", err)
					continue
				}
				if staff {
					x.whole = data
				} else {
					x.masked = data
				}
			}
			select {
			case h.heard <- x:
			case <-h.done:
				return
			case <-ctx.Done():
				return
			}
		}
		select {
		case <-ctx.Done():
		case <-time.After(time.Second):
		}
	}
}
