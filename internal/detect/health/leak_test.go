package health

import (
	"fmt"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
)

// trips lets the protection at a port trip and reclose.
func (a *tale) trips(station string, evse int, during time.Duration, code, vendor, info string) {
	a.tell(event.Port(station, evse, evse), &event.Status{Status: "Charging", ErrorCode: code, VendorErrorCode: vendor, Info: info})
	a.wait(2 * time.Second)
	a.tell(event.Port(station, evse, evse), &event.Status{Status: "Charging", ErrorCode: code, VendorErrorCode: vendor, Info: info}) // said twice
	a.wait(during)
	a.tell(event.Port(station, evse, evse), &event.Status{Status: "Charging", ErrorCode: "NoError"})
}

func TestGroundTrend(t *testing.T) {
	soft := []string{"OtherError", "GFCI-SOFT", "residual current soft trip, reclosed"}
	tripping := func(a *tale, station string, token string, times int, words []string) {
		tx := a.begin(station, 1, token)
		for range times {
			a.wait(10 * time.Minute)
			a.trips(station, 1, 20*time.Second, words[0], words[1], words[2])
		}
		a.wait(10 * time.Minute)
		a.end(station, 1, tx, new(float64(9000)))
		a.wait(time.Hour)
	}
	set := func(a *tale) { a.station("A", "yard", "AC", 22000, 1, ""); a.station("B", "yard", "AC", 22000, 1, "") }
	raised := func(n, vehicles string) string {
		return fmt.Sprintf("raised S2 groundTrend station/A/1: The ground protection tripped %s times within 24 h and closed again by itself, with %s.", n, vehicles)
	}
	tellAll(t, groundTrend, map[string]story{
		"three soft trips with two cars within a day": {func(a *tale) {
			set(a)
			tripping(a, "A", "t1", 2, soft)
			tripping(a, "A", "t2", 1, soft)
			for i := range 3 {
				a.wait(30 * time.Hour)
				tripping(a, "A", fmt.Sprint("t", i), 0, soft)
			}
		}, []string{raised("3", "2 vehicles"), "cleared groundTrend station/A/1"}},
		"ground failures that clear within minutes": {func(a *tale) {
			set(a)
			for i := range 3 {
				tripping(a, "A", fmt.Sprint("t", i), 1, []string{"GroundFailure", "", ""})
			}
		}, []string{raised("3", "3 vehicles")}},
		"trips with no car at all": {func(a *tale) {
			set(a)
			for range 3 {
				a.trips("A", 1, 20*time.Second, soft[0], soft[1], soft[2])
				a.wait(time.Hour)
			}
		}, []string{raised("3", "0 vehicles")}},
		"by components of OCPP 2.x": {func(a *tale) {
			set(a)
			for i := range 3 {
				tx := a.begin("A", 1, fmt.Sprint("t", i))
				for _, cleared := range []bool{false, true} {
					a.wait(time.Minute)
					a.tell(event.Station("A"), &event.Component{Items: []event.ComponentEvent{{
						Component: "RCDRecloser", EVSE: 1, Variable: "Problem", Value: fmt.Sprint(!cleared), Cleared: cleared,
					}}})
				}
				a.end("A", 1, tx, nil)
			}
		}, []string{raised("3", "3 vehicles")}},
		"one car alone leaks": {func(a *tale) {
			set(a)
			tripping(a, "A", "t1", 3, soft)
			tripping(a, "A", "t1", 3, soft)
		}, nil},
		"two trips a day are below": {func(a *tale) {
			set(a)
			for i := range 6 {
				tripping(a, "A", fmt.Sprint("t", i), 1, soft)
				a.wait(11 * time.Hour)
			}
		}, nil},
		"a trip that stands is a hard fault": {func(a *tale) {
			set(a)
			for i := range 4 {
				tx := a.begin("A", 1, fmt.Sprint("t", i))
				a.trips("A", 1, time.Hour, "GroundFailure", "CX002", "residual current device tripped")
				a.end("A", 1, tx, nil)
			}
		}, nil},
		"insulation faults without a car say nothing": {func(a *tale) {
			set(a)
			for range 5 {
				a.trips("A", 1, 20*time.Second, "OtherError", "CX011", "cable check failed, isolation 88 kOhm")
				a.wait(time.Hour)
			}
		}, nil},
	})
}

// Rain comes to all: the finding then names the site.
func TestGroundTrendOfASite(t *testing.T) {
	a := newTale()
	a.station("A", "yard", "AC", 22000, 1, "")
	a.station("B", "yard", "AC", 22000, 1, "")
	for range 3 {
		for _, st := range []string{"A", "B"} {
			a.trips(st, 1, 20*time.Second, "OtherError", "GFCI", "residual current soft trip")
			a.wait(time.Hour)
		}
	}
	found := a.found(t, groundTrend())
	if len(found) != 2 {
		t.Fatalf("found %d", len(found))
	}
	for _, f := range found {
		if len(f.Shared) != 1 || f.Shared[0] != "site/yard" {
			t.Errorf("%s shares %q, not its site", f.Subject, f.Shared)
		}
	}
}
