package notify

import (
	"context"
	"net/http"
	"time"
)

// idleBeat is how often we look whether somebody wants to hear us.
const idleBeat = 10 * time.Second

// beat tells somebody outside that we are well, as long as we are. Whoever
// hears nothing raises the alarm that we no longer can.
func (s *Service) beat(ctx context.Context) {
	var last time.Time
	client := s.o.Reach.Client(nil)
	for ctx.Err() == nil {
		wait := idleBeat
		if h, err := s.o.Store.Heartbeat(ctx); err == nil && h.Enabled {
			every := time.Duration(h.EverySeconds) * time.Second
			if wait = last.Add(every).Sub(s.o.Now()); wait <= 0 {
				wait = time.Second // until we are well again
				if s.o.Well != nil && s.o.Well() {
					last, wait = s.o.Now(), every
					s.tellWell(ctx, client, h.Method, h.URL)
				}
			}
		}
		t := time.NewTimer(min(wait, idleBeat))
		select {
		case <-ctx.Done():
		case <-t.C:
		}
		t.Stop()
	}
}

func (s *Service) tellWell(ctx context.Context, client *http.Client, method, to string) {
	ctx, done := context.WithTimeout(ctx, 10*time.Second)
	defer done()
	_, err := post(ctx, client, method, to, "", nil, http.Header{})
	if err != nil && ctx.Err() == nil {
		s.o.Logger.WarnContext(ctx, "heartbeat not heard", "err", err)
	}
	s.beaten.note(s.o.Now(), err)
}
