package store

import (
	"strings"
	"testing"
	"time"
)

func TestWhatDriversAreToldSurvivesARestart(t *testing.T) {
	b := open(t)
	until := time.Date(2031, 5, 1, 10, 0, 0, 0, time.UTC)
	must[*Site](t)(b.CreateSite(t.Context(), admin, Site{ID: "a", Name: "Internal"}))
	must[*Site](t)(b.UpdateSite(t.Context(), admin, "a", func(x *Site) {
		x.Public, x.PublicName = true, "Car park"
		x.Notices = []Notice{{Text: "Lift out of order\nuse the ramp", Until: until}, {Text: "Free today"}}
	}))
	for _, s := range []*Store{b.Store, b.reopen(t)} {
		x, _ := s.Site("a")
		if !x.Public || x.DriversName() != "Car park" || len(x.Notices) != 2 || !x.Notices[0].Until.Equal(until) {
			t.Fatalf("kept %+v", x)
		}
		if got := x.NoticesAt(until.Add(-time.Second)); len(got) != 2 {
			t.Errorf("before its end: %+v", got)
		}
		if got := x.NoticesAt(until); len(got) != 1 || got[0].Text != "Free today" {
			t.Errorf("after its end: %+v", got)
		}
	}
	plain := must[*Site](t)(b.CreateSite(t.Context(), admin, Site{ID: "b", Name: "B"}))
	if plain.Public || plain.DriversName() != "B" {
		t.Errorf("a new site: %+v", plain)
	}
}

func TestWhatDriversAreToldIsReadable(t *testing.T) {
	b := open(t)
	many := make([]Notice, MaxNotices+1)
	for i := range many {
		many[i].Text = "x"
	}
	for name, x := range map[string]Site{
		"too many":            {Notices: many},
		"too long":            {Notices: []Notice{{Text: strings.Repeat("ü", MaxNoticeText+1)}}},
		"nothing":             {Notices: []Notice{{Text: " \n"}}},
		"broken UTF-8":        {Notices: []Notice{{Text: "a\xff"}}},
		"a control code":      {Notices: []Notice{{Text: "a\x1b[31m"}}},
		"a name of two lines": {PublicName: "a\nb"},
		"a long name":         {PublicName: strings.Repeat("a", 101)},
	} {
		t.Run(name, func(t *testing.T) {
			x.ID = "a"
			if _, err := b.CreateSite(t.Context(), admin, x); err == nil {
				t.Error("accepted")
			}
		})
	}
	must[*Site](t)(b.CreateSite(t.Context(), admin, Site{ID: "a", Notices: []Notice{{Text: strings.Repeat("ü", MaxNoticeText)}}}))
}

func TestTheKeyOfPublicIdsStays(t *testing.T) {
	b := open(t)
	first := must[[]byte](t)(b.PublicKey(t.Context()))
	again := must[[]byte](t)(b.reopen(t).PublicKey(t.Context()))
	if len(first) != 32 || string(first) != string(again) {
		t.Errorf("%x, then %x", first, again)
	}
	if other := must[[]byte](t)(open(t).PublicKey(t.Context())); string(other) == string(first) {
		t.Error("two networks share a key")
	}
}
