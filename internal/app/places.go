package app

import (
	"context"
	"encoding/json"
	"time"

	"github.com/chargewatch/chargewatch/internal/detect"
	"github.com/chargewatch/chargewatch/internal/store"
)

// tellPlaces tells detection where sites are, as an event, so that a replay knows what
// was known: a token that is used at two places needs to know how far apart they are.
func (s *Server) tellPlaces(ctx context.Context) error {
	told := make(map[string]string) // by site
	kept, err := s.Store.Policies(ctx, detect.PolicyPlace)
	for _, p := range kept {
		told[p.ID] = string(p.Value)
	}
	if err != nil && ctx.Err() == nil {
		s.log.WarnContext(ctx, "what was said of where sites are cannot be read, and is said again", "err", err)
	}
	t := time.NewTicker(armingLook)
	defer t.Stop()
	for {
		for site, value := range moved(told, s.Store.Sites()) {
			if err := s.Store.SetPolicy(ctx, store.System, detect.PolicyPlace, site, []byte(value)); err != nil {
				if ctx.Err() == nil {
					s.log.WarnContext(ctx, "where a site is, is not in the journal", "site", site, "err", err)
				}
				continue // again at the next look
			}
			if told[site] = value; value == "" {
				delete(told, site)
			}
		}
		select {
		case <-t.C:
		case <-ctx.Done():
			return nil
		}
	}
}

// moved are the sites that are elsewhere than was told; empty: nowhere any more.
func moved(told map[string]string, sites []*store.Site) map[string]string {
	out := make(map[string]string)
	for site := range told {
		out[site] = ""
	}
	for _, x := range sites {
		if x.Latitude == nil || x.Longitude == nil {
			continue
		}
		value, err := json.Marshal(detect.Place{Latitude: *x.Latitude, Longitude: *x.Longitude})
		if err != nil {
			continue // a store has checked them
		}
		if out[x.ID] = string(value); told[x.ID] == string(value) {
			delete(out, x.ID)
		}
	}
	return out
}
