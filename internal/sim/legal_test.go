package sim

import (
	"fmt"
	"reflect"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// moves16 are the status changes that OCPP 1.6 section 4.9 allows for a
// connector. Any state may also become Unavailable or Faulted.
var moves16 = map[string][]string{
	"Available":     {"Preparing", "Charging", "SuspendedEV", "SuspendedEVSE", "Reserved", "Unavailable", "Faulted"},
	"Preparing":     {"Available", "Charging", "SuspendedEV", "SuspendedEVSE", "Finishing", "Faulted"},
	"Charging":      {"Available", "SuspendedEV", "SuspendedEVSE", "Finishing", "Unavailable", "Faulted"},
	"SuspendedEV":   {"Available", "Charging", "SuspendedEVSE", "Finishing", "Unavailable", "Faulted"},
	"SuspendedEVSE": {"Available", "Charging", "SuspendedEV", "Finishing", "Unavailable", "Faulted"},
	"Finishing":     {"Available", "Preparing", "Unavailable", "Faulted"},
	"Reserved":      {"Available", "Preparing", "Unavailable", "Faulted"},
	"Unavailable":   {"Available", "Preparing", "Charging", "SuspendedEV", "SuspendedEVSE", "Faulted"},
	"Faulted":       {"Available", "Preparing", "Finishing", "Unavailable", "Reserved"},
}

func TestAStationOnlyMakesLegalMoves(t *testing.T) {
	for _, name := range []string{"busy", "faults"} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newMemoryCentral()
				s := scenario(t, name)
				s.DropsPerDay, s.Flapping, s.RebootsPerDay = 0, 0, 0 // what happened unheard is told as one step
				live(t, Options{Plan: weekday(Park(20, V16, "", 11)), Start: tuesday, Seed: 11, Scenario: s}, c, 12*time.Hour, func(*Fleet) {
					seenMoves := make(map[string]int)
					for id := range c.calls {
						last := make(map[string]string)
						for _, x := range c.of(id, "StatusNotification") {
							connector := fmt.Sprint(x.payload["connectorId"])
							to := x.payload["status"].(string)
							from, ok := last[connector]
							last[connector] = to
							if !ok || from == to || connector == "0" {
								continue
							}
							seenMoves[from+" > "+to]++
							if !slices.Contains(moves16[from], to) {
								t.Errorf("%s connector %s: %s to %s at %v", id, connector, from, to, x.payload["timestamp"])
							}
						}
					}
					for _, want := range []string{"Available > Preparing", "Preparing > Charging", "Charging > Finishing", "Charging > SuspendedEV", "Finishing > Available"} {
						if seenMoves[want] == 0 {
							t.Errorf("no move %s in half a day: %v", want, seenMoves)
						}
					}
					if name == "faults" && seenMoves["Charging > Faulted"] == 0 {
						t.Error("no fault ended a session")
					}
				})
			})
		})
	}
}

// A 2.x transaction starts at 0, grows by one, begins with Started and ends
// with Ended, also when a station reboots in its middle.
func TestTransactionEventsAreComplete(t *testing.T) {
	for _, v := range []Version{V201, V21} {
		t.Run(v.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newMemoryCentral()
				live(t, Options{Plan: weekday(Park(20, v, "", 12)), Start: tuesday, Seed: 12, Scenario: scenario(t, "faults")}, c, 12*time.Hour, func(*Fleet) {
					type tx struct {
						next  float64
						ended bool
						last  map[string]any
					}
					all := make(map[string]*tx)
					done := 0
					for id := range c.calls {
						for _, x := range c.of(id, "TransactionEvent") {
							key := x.payload["transactionInfo"].(map[string]any)["transactionId"].(string)
							s := all[key]
							if s == nil {
								s = &tx{}
								all[key] = s
								if x.payload["eventType"] != "Started" {
									t.Errorf("%s begins with %v", key, x.payload["eventType"])
								}
							}
							// What a lost link left without an answer is said again.
							if reflect.DeepEqual(x.payload, s.last) {
								continue
							}
							s.last = x.payload
							if s.ended || x.payload["seqNo"] != s.next {
								t.Errorf("%s: seqNo %v after %v, ended %v", key, x.payload["seqNo"], s.next, s.ended)
							}
							s.next++
							if x.payload["eventType"] == "Ended" {
								s.ended = true
								done++
								if x.payload["transactionInfo"].(map[string]any)["stoppedReason"] == nil {
									t.Errorf("%s ends without a reason", key)
								}
							}
						}
					}
					if done < 50 {
						t.Errorf("only %d transactions in half a day", done)
					}
				})
			})
		})
	}
}

func TestAStormDropsAndReturnsTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newMemoryCentral()
		start := tuesday.Add(3 * time.Minute)
		live(t, Options{Plan: Park(30, 0, "", 1), Start: start, Seed: 1, Scenario: scenario(t, "storm"), Ramp: time.Second}, c, 7*time.Minute-time.Second, func(f *Fleet) {
			if n := f.Stats().Online; n != 30 {
				t.Errorf("%d of 30 online before the storm", n)
			}
			time.Sleep(2 * time.Second)
			synctest.Wait()
			if n := f.Stats().Online; n != 0 {
				t.Errorf("%d online in the storm", n)
			}
			time.Sleep(time.Minute)
			synctest.Wait()
			if n := f.Stats().Online; n != 30 {
				t.Errorf("%d of 30 online after the storm", n)
			}
		})
	})
}

func TestIdleStationsOnlyBeat(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newMemoryCentral()
		live(t, Options{Plan: Park(5, 0, "", 1), Seed: 1, Scenario: quiet(t)}, c, 3*time.Hour, func(f *Fleet) {
			for _, id := range f.Stations() {
				beats := 0
				for _, x := range c.all(id) {
					switch {
					case x.action == "Heartbeat":
						beats++
					case x.at.Sub(c.all(id)[0].at) > time.Minute:
						t.Errorf("%s sent %s in a quiet night", id, x.action)
					}
				}
				if beats < 17 || beats > 18 {
					t.Errorf("%s: %d heartbeats in three hours at 600 s", id, beats)
				}
			}
		})
	})
}
