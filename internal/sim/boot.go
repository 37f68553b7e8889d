package sim

import (
	"encoding/json"
	"time"
)

// boot sends BootNotification.
func (st *station) boot(reason string) {
	st.booted = true
	action, payload := st.d.boot(reason)
	st.say(&call{action: action, payload: payload, boot: true, done: st.bootAnswered})
	if st.quirks.has(StatusBeforeBoot) {
		st.tell(true)
	}
}

// bootAnswered reads the registration status.
func (st *station) bootAnswered(result json.RawMessage, err error) {
	var answer struct {
		Status      string      `json:"status"`
		CurrentTime string      `json:"currentTime"`
		Interval    json.Number `json:"interval"`
	}
	if err == nil {
		err = json.Unmarshal(result, &answer)
	}
	seconds, _ := answer.Interval.Int64()
	interval := time.Duration(seconds) * time.Second
	if err != nil || answer.Status != "Accepted" {
		if interval <= 0 || interval > time.Hour {
			interval = time.Minute
		}
		st.f.stats.bootRefused.Add(1)
		st.after(interval, func() {
			if st.wire != nil && !st.accepted && st.queue.boot == nil {
				st.boot("ApplicationReset")
			}
		})
		return
	}
	if interval > 0 {
		st.set.heartbeat = interval
	}
	// A real station sets its clock by this answer. Compressed time has no
	// wall clock to agree with.
	st.skew = 0
	if at, err := time.Parse(time.RFC3339, answer.CurrentTime); err == nil && st.f.clock.speed == 1 {
		if d := at.Sub(st.now); d > time.Second || d < -time.Second {
			st.skew = d
		}
	}
	st.accepted, st.ever = true, true
	st.bootReason = "Unknown" // what a model that boots at each reconnect says
	st.f.stats.accepted.Add(1)
	st.tell(true)
	if st.quirks.has(StaleFault) {
		st.staleFault()
	}
	st.heartbeatIn(st.set.heartbeat)
	st.d.online()
	st.pump()
}

// tell reports connector states: all of them, or those that changed unheard.
func (st *station) tell(all bool) {
	if all {
		st.d.stationStatus()
	}
	for _, e := range st.evses {
		for _, c := range e.conns {
			if all || c.told != c.status {
				st.d.status(c, true)
			}
		}
	}
}

// staleFault re-sends the last cleared fault with its old time, as some
// firmware does at each boot.
func (st *station) staleFault() {
	e := st.evses[0]
	f := e.lastFault
	if f == nil {
		f = &fault{kind: new(faultKinds[1]), since: st.now.Add(-50 * time.Hour)}
	}
	st.d.oldFault(e, f)
}

func (st *station) heartbeatIn(d time.Duration) {
	st.timers.stop(st.beat)
	if d <= 0 {
		st.beat = nil
		return
	}
	st.beat = st.after(d, func() {
		st.beat = nil
		if st.wire == nil || !st.accepted {
			return
		}
		st.say(&call{action: "Heartbeat", payload: struct{}{}})
		st.heartbeatIn(st.set.heartbeat)
	})
}
