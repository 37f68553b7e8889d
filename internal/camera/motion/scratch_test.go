package motion

import (
	"reflect"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/camera/area"
	"github.com/chargewatch/chargewatch/internal/event"
)

func TestACameraIsJudgedTheSameWhoeverUsedTheMemoryBefore(t *testing.T) {
	list := keyPictures(t, reference(t))
	list = list[:min(len(list), 90)]
	used := new(scratch)
	shared := &sync.Pool{New: func() any { return used }}
	left := []Zone{{ID: "left", Kind: event.ZoneWatch, Polygon: area.Polygon{{0, 0}, {0.5, 0}, {0.5, 1}, {0, 1}}}}
	hidden := []Zone{{ID: "hidden", Kind: event.ZonePrivacy, Polygon: area.Polygon{{0.2, 0}, {1, 0}, {1, 0.7}, {0.2, 0.7}}}}
	alone, beside, other := New(left), New(left), New(hidden)
	beside.scratch, other.scratch = shared, shared
	start := time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)
	said := 0
	for i, gray := range list {
		at := start.Add(time.Duration(i) * 2 * time.Second)
		alone.scratch = &sync.Pool{New: func() any { return new(scratch) }}
		dark := slices.Clone(list[len(list)-1-i])
		for j := range dark {
			dark[j] /= 2
		}
		other.Look(dark, at)
		a, b := alone.Look(gray, at), beside.Look(gray, at)
		said += len(a)
		if !reflect.DeepEqual(a, b) {
			t.Fatalf("picture %d: alone %+v, beside another %+v", i, a, b)
		}
	}
	alone.scratch, beside.scratch = nil, nil
	if said == 0 || !reflect.DeepEqual(alone, beside) {
		t.Errorf("after %d changes the detectors know different things", said)
	}
}

func TestTheSubStreamCostsNothingUntilItIsLookedAt(t *testing.T) {
	y := newEyes(NewWatch(Options{}))
	y.quiet(time.Now(), fromSub)
	if y.sub != nil || y.status().Tampered != "" {
		t.Error("there is a detector for a stream that nobody looks at")
	}
}
