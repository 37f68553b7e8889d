package sim

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// startCharging begins a session by remote start and lets it run.
func startCharging(t *testing.T, c *memoryCentral, v Version) {
	t.Helper()
	if v == V16 {
		c.command(t, "CP-1", "RemoteStartTransaction", `{"connectorId":1,"idTag":"ABC"}`)
	} else {
		c.command(t, "CP-1", "RequestStartTransaction", `{"evseId":1,"remoteStartId":1,"idToken":{"idToken":"ABC","type":"Central"}}`)
	}
	time.Sleep(90 * time.Second)
	synctest.Wait()
}

// sampling sets a 10 s meter interval, as an operator would.
func sampling(s *Spec) {
	s.Config = commissioned(s.version(), 10)
	if s.version() != V16 {
		s.Config["SampledDataCtrlr/TxUpdatedMeasurands"] = fullDC
	}
}

func TestAFactoryStationSamplesNothingUntilTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newMemoryCentral()
		live(t, Options{Plan: one(t, "KC-P30-EC240422-E00", V16, nil), Seed: 1, Scenario: quiet(t)}, c, 5*time.Second, func(*Fleet) {
			startCharging(t, c, V16)
			time.Sleep(10 * time.Minute)
			synctest.Wait()
			if n := len(c.of("CP-1", "MeterValues")); n != 0 {
				t.Fatalf("%d MeterValues from a station nobody told to sample", n)
			}
			c.command(t, "CP-1", "ChangeConfiguration", `{"key":"MeterValueSampleInterval","value":"30"}`)
			time.Sleep(5 * time.Minute)
			synctest.Wait()
			if n := len(c.of("CP-1", "MeterValues")); n < 9 || n > 11 {
				t.Errorf("want about ten MeterValues in five minutes, got %d", n)
			}
		})
	})
}

func TestWhatHappensWithoutALinkIsSentAfterwardsInOrder(t *testing.T) {
	for _, v := range []Version{V16, V201} {
		t.Run(v.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newMemoryCentral()
				live(t, Options{Plan: one(t, "HYC300", v, sampling), Seed: 1, Scenario: quiet(t)}, c, 5*time.Second, func(f *Fleet) {
					st := f.stations[0]
					st.do(func() { st.lose(time.Hour, false) })
					st.do(func() {
						e := st.evses[0]
						e.plugIn(e.newVisit(&cars[1], Token{"A", "Central"}, st.life))
						e.visit.soc, e.visit.target = 0.2, 0.5
						e.swipe(Token{"A", "Central"})
					})
					synctest.Wait()
					before := len(c.all("CP-1"))
					time.Sleep(59 * time.Minute)
					synctest.Wait()
					if n := len(c.all("CP-1")); n != before {
						t.Fatalf("%d calls arrived without a link", n-before)
					}
					time.Sleep(2 * time.Minute)
					synctest.Wait()
					if v == V16 {
						checkReplay16(t, c)
					} else {
						checkReplay2(t, c)
					}
				})
			})
		})
	}
}

func checkReplay16(t *testing.T, c *memoryCentral) {
	t.Helper()
	list := c.of("CP-1", "StartTransaction", "MeterValues", "StopTransaction")
	if len(list) < 20 || list[0].action != "StartTransaction" || list[len(list)-1].action != "StopTransaction" {
		t.Fatalf("want Start, many MeterValues, Stop; got %d messages", len(list))
	}
	last := ""
	for _, s := range list {
		at, _ := s.payload["timestamp"].(string)
		if s.action == "MeterValues" {
			at = s.payload["meterValue"].([]any)[0].(map[string]any)["timestamp"].(string)
		}
		if at < last {
			t.Errorf("%s of %s comes after %s", s.action, at, last)
		}
		last = at
		if s.action != "StartTransaction" && s.payload["transactionId"] != 1.0 {
			t.Errorf("%s carries transaction %v, not the one of the answer", s.action, s.payload["transactionId"])
		}
	}
}

func checkReplay2(t *testing.T, c *memoryCentral) {
	t.Helper()
	list := c.of("CP-1", "TransactionEvent")
	if len(list) < 20 {
		t.Fatalf("only %d events", len(list))
	}
	for i, s := range list {
		if s.payload["seqNo"] != float64(i) || s.payload["offline"] != true {
			t.Fatalf("event %d: seqNo %v, offline %v", i, s.payload["seqNo"], s.payload["offline"])
		}
	}
	if list[0].payload["eventType"] != "Started" || list[len(list)-1].payload["eventType"] != "Ended" {
		t.Error("the transaction has no beginning or no end")
	}
}

func TestPowerFollowsTheChargingProfile(t *testing.T) {
	power := func(c *memoryCentral, v Version) float64 {
		action := "MeterValues"
		if v != V16 {
			action = "TransactionEvent"
		}
		list := c.of("CP-1", action)
		for _, s := range slices.Backward(list) {
			values, ok := s.payload["meterValue"].([]any)
			if !ok {
				continue
			}
			for _, x := range values[0].(map[string]any)["sampledValue"].([]any) {
				m := x.(map[string]any)
				if m["measurand"] == "Power.Active.Import" {
					w, err := strconv.ParseFloat(fmt.Sprint(m["value"]), 64)
					if err != nil {
						return -1
					}
					return w
				}
			}
		}
		return -1
	}
	profile := func(v Version, limit int) (string, string) {
		p := `"stackLevel":2,"chargingProfilePurpose":"TxProfile","chargingProfileKind":"Relative"`
		s := fmt.Sprintf(`{"id":1,"chargingRateUnit":"W","chargingSchedulePeriod":[{"startPeriod":0,"limit":%d}]}`, limit)
		if v == V16 {
			return "SetChargingProfile", `{"connectorId":1,"csChargingProfiles":{"chargingProfileId":3,` + p + `,"chargingSchedule":` + s + `}}`
		}
		return "SetChargingProfile", `{"evseId":1,"chargingProfile":{"id":3,` + p + `,"chargingSchedule":[` + s + `]}}`
	}
	for _, v := range []Version{V16, V21} {
		t.Run(v.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newMemoryCentral()
				live(t, Options{Plan: one(t, "HYC300", v, sampling), Seed: 4, Scenario: quiet(t)}, c, 5*time.Second, func(f *Fleet) {
					startCharging(t, c, v)
					if w := power(c, v); w < 35_000 {
						t.Fatalf("a fast charger gives %v W without a limit", w)
					}
					action, payload := profile(v, 20_000)
					if a := c.command(t, "CP-1", action, payload); !strings.Contains(a, "Accepted") {
						t.Fatal(a)
					}
					time.Sleep(time.Minute)
					synctest.Wait()
					if w := power(c, v); w < 19_000 || w > 21_000 {
						t.Errorf("limit 20 kW, power %v W", w)
					}
					_, payload = profile(v, 0)
					c.command(t, "CP-1", action, payload)
					time.Sleep(time.Minute)
					synctest.Wait()
					if got := f.stations[0].evses[0].conns[0].status; got != SuspendedEVSE {
						t.Errorf("limit 0 and the port shows %s", got)
					}
					c.command(t, "CP-1", "ClearChargingProfile", `{"id":3,"chargingProfileId":3}`)
					time.Sleep(2 * time.Minute)
					synctest.Wait()
					if w := power(c, v); w < 30_000 {
						t.Errorf("limit cleared, power %v W", w)
					}
				})
			})
		})
	}
}

func TestRegistersNeverGoBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newMemoryCentral()
		last := make(map[string]float64)
		check := func(key string, wh float64) {
			if wh < last[key] {
				t.Errorf("%s went from %v to %v", key, last[key], wh)
			}
			last[key] = wh
		}
		faults := scenario(t, "faults")
		live(t, Options{Plan: weekday(Park(20, V16, "", 2)), Start: tuesday, Seed: 2, Scenario: faults, History: time.Hour}, c, 12*time.Hour, func(f *Fleet) {
			stops := 0
			for id, list := range c.calls {
				for _, s := range list {
					key := fmt.Sprint(id, "/", s.payload["connectorId"])
					switch s.action {
					case "StartTransaction":
						check(key, s.payload["meterStart"].(float64))
					case "MeterValues":
						for _, x := range s.payload["meterValue"].([]any)[0].(map[string]any)["sampledValue"].([]any) {
							if m := x.(map[string]any); m["measurand"] == "Energy.Active.Import.Register" {
								wh, err := strconv.ParseFloat(m["value"].(string), 64)
								if err != nil {
									t.Error(err)
								}
								check(key, wh)
							}
						}
					case "StopTransaction":
						stops++
					}
				}
			}
			if stops < 50 {
				t.Errorf("only %d sessions in half a day", stops)
			}
		})
	})
}

func TestQuirksShowOnTheWire(t *testing.T) {
	tests := map[string]struct {
		quirk Quirks
		ok    func(c *memoryCentral) bool
	}{
		"a serial number of 26 characters": {LongSerial, func(c *memoryCentral) bool {
			return len(c.of("CP-1", "BootNotification")[0].payload["chargePointSerialNumber"].(string)) == 26
		}},
		"statuses before the boot answer": {StatusBeforeBoot, func(c *memoryCentral) bool {
			l := c.of("CP-1", "BootNotification", "StatusNotification")
			return l[1].action == "StatusNotification" && l[1].at.Sub(l[0].at) < 20*time.Millisecond
		}},
		"connector numbers as strings": {StringConnector, func(c *memoryCentral) bool {
			return c.of("CP-1", "StartTransaction")[0].payload["connectorId"] == "1"
		}},
		"units in small letters": {LowerCaseUnits, func(c *memoryCentral) bool {
			return strings.Contains(render(c.of("CP-1", "MeterValues")[0].payload), "unit:wh")
		}},
		"values as numbers": {NumericValues, func(c *memoryCentral) bool {
			return strings.Contains(fmt.Sprintf("%T", c.of("CP-1", "MeterValues")[0].payload["meterValue"].([]any)[0].(map[string]any)["sampledValue"].([]any)[0].(map[string]any)["value"]), "float64")
		}},
		"kWh labelled Wh": {KWhAsWh, func(c *memoryCentral) bool {
			return c.of("CP-1", "StartTransaction")[0].payload["meterStart"].(float64) < 100_000
		}},
		"no meter values": {NoMeterValues, func(c *memoryCentral) bool { return len(c.of("CP-1", "MeterValues")) == 0 }},
		"no stop":         {NoStop, func(c *memoryCentral) bool { return len(c.of("CP-1", "StopTransaction")) == 0 }},
		"each stop twice": {ResendStop, func(c *memoryCentral) bool {
			l := c.of("CP-1", "StopTransaction")
			return len(l) == 2 && render(l[0].payload) == render(l[1].payload)
		}},
		"No Error in two words": {SpacedErrorCode, func(c *memoryCentral) bool {
			return c.of("CP-1", "StatusNotification")[0].payload["errorCode"] == "No Error"
		}},
		"times without a zone": {NoZone, func(c *memoryCentral) bool {
			return !strings.HasSuffix(c.of("CP-1", "StartTransaction")[0].payload["timestamp"].(string), "Z")
		}},
		"an old fault at boot": {StaleFault, func(c *memoryCentral) bool {
			for _, s := range c.of("CP-1", "StatusNotification") {
				if s.payload["status"] == "Faulted" && strings.HasPrefix(s.payload["timestamp"].(string), "1999-12-29") {
					return true
				}
			}
			return false
		}},
		"1970 until the boot answer": {Clock1970 | StatusBeforeBoot, func(c *memoryCentral) bool {
			l := c.of("CP-1", "StatusNotification")
			return strings.HasPrefix(l[0].payload["timestamp"].(string), "19") && strings.HasPrefix(l[len(l)-1].payload["timestamp"].(string), "2000")
		}},
		"two calls in flight": {TwoInFlight, func(c *memoryCentral) bool {
			l := c.of("CP-1", "StatusNotification")
			return l[1].at.Sub(l[0].at) < 20*time.Millisecond
		}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			for _, with := range []bool{true, false} {
				synctest.Test(t, func(t *testing.T) {
					c := newMemoryCentral()
					p := one(t, "Duo ims", V16, func(s *Spec) {
						sampling(s)
						if with {
							s.Quirks = tt.quirk
						}
					})
					live(t, Options{Plan: p, Seed: 1, Scenario: quiet(t)}, c, 5*time.Second, func(f *Fleet) {
						startCharging(t, c, V16)
						st := f.stations[0]
						st.do(st.evses[0].unplug)
						time.Sleep(time.Second)
						synctest.Wait()
						if got := tt.ok(c); got != with {
							t.Errorf("quirk set: %v, seen: %v", with, got)
						}
					})
				})
			}
		})
	}
}

func TestOfflineQuirks(t *testing.T) {
	for name, tt := range map[string]struct {
		quirk Quirks
		meter any
		stop  any
	}{
		"a good station":                        {0, 1.0, 1.0},
		"Stop with -1 after an offline start":   {StopMinusOne, 1.0, -1.0},
		"MeterValues of an unknown transaction": {OrphanMeter, 987654.0, 1.0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newMemoryCentral()
				p := one(t, "HYC150", V16, func(s *Spec) { sampling(s); s.Quirks = tt.quirk })
				live(t, Options{Plan: p, Seed: 1, Scenario: quiet(t)}, c, 5*time.Second, func(f *Fleet) {
					st := f.stations[0]
					st.do(func() { st.lose(10*time.Minute, false) })
					st.do(func() {
						e := st.evses[0]
						e.plugIn(e.newVisit(&cars[1], Token{"A", "Central"}, st.life))
						e.swipe(Token{"A", "Central"})
						e.visit.do(e, 5*time.Minute, e.unplug)
					})
					time.Sleep(12 * time.Minute)
					synctest.Wait()
					m, s := c.of("CP-1", "MeterValues"), c.of("CP-1", "StopTransaction")
					if len(m) == 0 || len(s) != 1 || m[0].payload["transactionId"] != tt.meter || s[0].payload["transactionId"] != tt.stop {
						t.Errorf("%d meter values, %d stops: %v %v", len(m), len(s), m, s)
					}
				})
			})
		})
	}
}

func TestARegisterQuirkAndBootHabits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newMemoryCentral()
		p := one(t, "Terra 54 CJG", V16, nil) // boots at every reconnect
		again := p.Stations[0]
		again.ID, again.Quirks = "CP-2", BootOnce|RegisterReset
		p.Stations = append(p.Stations, again)
		live(t, Options{Plan: p, Seed: 1, Scenario: quiet(t)}, c, 5*time.Second, func(f *Fleet) {
			for _, st := range f.stations {
				st.do(func() { st.lose(time.Minute, false) })
			}
			time.Sleep(2 * time.Minute)
			synctest.Wait()
			if a, b := len(c.of("CP-1", "BootNotification")), len(c.of("CP-2", "BootNotification")); a != 2 || b != 1 {
				t.Errorf("boots after one reconnect: %d and %d, want 2 and 1", a, b)
			}
			c.command(t, "CP-2", "Reset", `{"type":"Hard"}`)
			time.Sleep(2 * time.Minute)
			synctest.Wait()
			if n := len(c.of("CP-2", "BootNotification")); n != 2 {
				t.Errorf("%d boots after a reset, want 2", n)
			}
			if reg := f.byID["CP-2"].evses[0].reg; reg != 0 {
				t.Errorf("register %v after the reboot, want 0", reg)
			}
		})
	})
}

func TestAPendingStationOnlyAsksAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newMemoryCentral()
		c.answer = func(_, action string, _ []byte) string {
			if action == "BootNotification" {
				return `{"status":"Pending","currentTime":"2000-01-01T00:00:00Z","interval":60}`
			}
			return "{}"
		}
		live(t, Options{Plan: one(t, "Duo ims", V16, nil), Seed: 1, Scenario: scenario(t, "busy"), History: 3 * time.Hour}, c, 5*time.Minute+30*time.Second, func(*Fleet) {
			for _, s := range c.all("CP-1") {
				if s.action != "BootNotification" {
					t.Errorf("%s before the boot was accepted", s.action)
				}
			}
			if n := len(c.all("CP-1")); n < 5 || n > 7 {
				t.Errorf("%d boots in five minutes with an interval of 60 s", n)
			}
		})
	})
}

func TestALostAnswerIsRetriedWithTheSameContent(t *testing.T) {
	for _, v := range []Version{V16, V201} {
		t.Run(v.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newMemoryCentral()
				lost := 0
				c.answer = func(_, action string, _ []byte) string {
					if (action == "StartTransaction" || action == "TransactionEvent") && lost == 0 {
						lost++
						return "lost"
					}
					return "{}"
				}
				live(t, Options{Plan: one(t, "HYC300", v, nil), Seed: 1, Scenario: quiet(t)}, c, 5*time.Second, func(*Fleet) {
					startCharging(t, c, v)
					time.Sleep(time.Minute)
					synctest.Wait()
					l := c.of("CP-1", "StartTransaction", "TransactionEvent")
					if len(l) < 2 || render(l[0].payload) != render(l[1].payload) {
						t.Errorf("no retry with the same content: %v", l)
					}
				})
			})
		})
	}
}

func TestASilentLossLeavesTheSocketOpen(t *testing.T) {
	p, url := startPeer16(t)
	f, err := New(Options{URL: url, Plan: one(t, "Duo ims", V16, nil), Scenario: quiet(t)})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { f.Run(ctx); close(done) }()
	defer func() { cancel(); <-done }()
	boots := func() int {
		p.mu.Lock()
		defer p.mu.Unlock()
		return p.boots
	}
	await(t, "the first boot", func() bool { return boots() == 1 && f.Stats().Accepted == 1 })
	s, _ := f.Station("CP-1")
	s.Offline(300*time.Millisecond, true)
	if n := f.Stats().Online; n != 1 {
		t.Errorf("%d sockets open during a silent loss, want 1", n)
	}
	await(t, "the return", func() bool { return f.Stats().Dials == 2 })
	if err := s.Charge(1, Token{"A", "Central"}); err != nil {
		t.Fatal(err)
	}
	await(t, "the session", func() bool {
		p.mu.Lock()
		defer p.mu.Unlock()
		return len(p.open) == 1
	})
}

// await polls a condition that real sockets will meet.
func await(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for range 3000 {
		if ok() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("%s did not happen within 30 s", what)
}

func TestEventStreamsOf21(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newMemoryCentral()
		live(t, Options{Plan: one(t, "HYC300", V21, nil), Seed: 1, Scenario: quiet(t)}, c, 5*time.Second, func(*Fleet) {
			got := c.command(t, "CP-1", "SetVariableMonitoring", `{"setMonitoringData":[{"id":7,"value":1,"type":"Delta","severity":8,"periodicEventStream":{"interval":30,"values":3},"component":{"name":"EVSE","evse":{"id":1}},"variable":{"name":"Power"}}]}`)
			if !strings.Contains(got, "Accepted") {
				t.Fatal(got)
			}
			time.Sleep(5 * time.Minute)
			synctest.Wait()
			if n := len(c.of("CP-1", "OpenPeriodicEventStream")); n != 1 {
				t.Fatalf("%d streams opened", n)
			}
			list := c.of("CP-1", "NotifyPeriodicEventStream")
			if len(list) != 9 || len(list[0].payload["data"].([]any)) != 3 {
				t.Errorf("%d messages in five minutes: %v", len(list), list)
			}
			if got := c.command(t, "CP-1", "AdjustPeriodicEventStream", `{"id":1,"params":{"interval":10,"values":1}}`); !strings.Contains(got, "Accepted") {
				t.Error(got)
			}
			if got := c.command(t, "CP-1", "GetPeriodicEventStream", `{}`); !strings.Contains(got, `"interval":10,"values":1`) {
				t.Error(got)
			}
			c.command(t, "CP-1", "ClearVariableMonitoring", `{"id":[7]}`)
			time.Sleep(time.Second)
			synctest.Wait()
			if n := len(c.of("CP-1", "ClosePeriodicEventStream")); n != 1 {
				t.Errorf("%d streams closed", n)
			}
			before := len(c.of("CP-1", "NotifyPeriodicEventStream"))
			time.Sleep(time.Minute)
			synctest.Wait()
			if n := len(c.of("CP-1", "NotifyPeriodicEventStream")); n != before {
				t.Error("a closed stream goes on")
			}
		})
	})
}
