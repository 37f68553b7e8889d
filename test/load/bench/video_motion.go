package main

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

// lookedAt is what came of looking.
type lookedAt struct {
	Seen    int `json:"camerasThatSawMotion"`
	Decoded int `json:"picturesDecoded"`
	Dropped int `json:"picturesDropped"`
	Damaged int `json:"picturesDamaged"`
}

// motionResult is recording with motion and tamper on all cameras.
type motionResult struct {
	recordResult
	Looked *lookedAt `json:"lookedAt,omitempty"`
}

func (r *motionResult) row() (head, row []string) {
	head, row = r.recordResult.row()
	if l := r.Looked; l != nil {
		head = append(head, "cameras that saw motion", "pictures decoded", "dropped", "damaged")
		row = append(row, fmt.Sprint(l.Seen), fmt.Sprint(l.Decoded), fmt.Sprint(l.Dropped), fmt.Sprint(l.Damaged))
	}
	return head, row
}

func (r *motionResult) compare([]any) string { return "" }

// scenes counts what was seen, and what the decoder says of itself.
func scenes(ctx context.Context, srv *server, f *filming) (*lookedAt, error) {
	l := &lookedAt{}
	for i := range f.n {
		var r struct {
			Items []struct {
				Data struct{ What string }
			}
		}
		if err := srv.api.do(ctx, http.MethodGet, "/api/v1/events?subject=camera/"+camID(i)+"&kind=camera.scene&limit=100", nil, &r); err != nil {
			return l, err
		}
		for _, e := range r.Items {
			if e.Data.What == "motion" {
				l.Seen++
				break
			}
		}
	}
	text, err := srv.api.file(ctx, http.MethodGet, "/metrics", "", "")
	if err != nil {
		return l, err
	}
	for outcome, into := range map[string]*int{"decoded": &l.Decoded, "dropped": &l.Dropped, "damaged": &l.Damaged} {
		_, rest, ok := strings.Cut(text, `chargewatch_decoder_pictures_total{outcome="`+outcome+`"} `)
		if !ok {
			return l, fmt.Errorf("the server does not count pictures that are %s", outcome)
		}
		n, err := strconv.ParseFloat(strings.Fields(rest)[0], 64)
		if err != nil {
			return l, fmt.Errorf("read the server's counts: %w", err)
		}
		*into = int(n)
	}
	return l, nil
}
