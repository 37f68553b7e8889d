package sim

import (
	"encoding/json"
	"fmt"
	"time"
)

// What operators do to stations in a run in virtual time. The commands are
// told with their answers, as the journal holds them.

// Operator is who commands in a run in virtual time; Prober is who asks
// stations how they are.
const (
	Operator = "user:operator"
	Prober   = "probe"
)

func (st *station) operate(f *Failure) {
	r := st.past
	if r == nil || !r.detail {
		return
	}
	switch f.Mode {
	case Restarted:
		if st.inUse() || !r.linked {
			if st.now.Before(f.until()) {
				st.after(10*time.Minute, func() { st.operate(f) })
			}
			return
		}
		r.command(Operator, "Reset", map[string]any{"type": "Soft"}, map[string]any{"status": "Accepted"})
		st.after(2*time.Second, func() {
			st.reboot(reasonSoftReset, "RemoteReset", time.Duration(f.Size*float64(time.Minute)))
		})
	case SamplingChanged:
		seconds := fmt.Sprint(int(f.Size))
		key := "MeterValueSampleInterval"
		action, ask := "ChangeConfiguration", map[string]any{"key": key, "value": seconds}
		answer := map[string]any{"status": "Accepted"}
		if st.version != V16 {
			key = "SampledDataCtrlr/TxUpdatedInterval"
			component, variable := map[string]any{"name": "SampledDataCtrlr"}, map[string]any{"name": "TxUpdatedInterval"}
			action = "SetVariables"
			ask = map[string]any{"setVariableData": []any{map[string]any{"component": component, "variable": variable, "attributeValue": seconds}}}
			answer = map[string]any{"setVariableResult": []any{map[string]any{"component": component, "variable": variable, "attributeStatus": "Accepted"}}}
		}
		r.command(Operator, action, ask, answer)
		st.config[key] = seconds
		st.reconfigure()
		st.resample()
	case Limited:
		r.command(Operator, "SetChargingProfile", map[string]any{"connectorId": f.EVSE, "csChargingProfiles": map[string]any{
			"chargingProfileId": 9, "stackLevel": 2, "chargingProfilePurpose": "TxDefaultProfile", "chargingProfileKind": "Absolute",
			"chargingSchedule": map[string]any{"chargingRateUnit": "W", "chargingSchedulePeriod": []any{map[string]any{"startPeriod": 0, "limit": f.Size}}},
		}}, map[string]any{"status": "Accepted"})
	case Booked:
		for _, e := range st.ports(f) {
			if e.booking != nil || !e.free() {
				continue
			}
			until := st.now.Add(45 * time.Minute)
			token := st.f.o.Plan.Tokens[st.bad.IntN(len(st.f.o.Plan.Tokens))]
			b := &booking{id: 100 + st.bad.IntN(1000), token: token.ID}
			answer := st.reserve(e, b, until)
			r.command(Operator, "ReserveNow", map[string]any{
				"connectorId": e.conns[0].flat, "expiryDate": until.UTC().Format(time.RFC3339), "idTag": token.tag(), "reservationId": b.id,
			}, map[string]any{"status": answer})
		}
		if next := st.now.Add(6 * time.Hour); next.Before(f.until()) {
			st.timers.set(next, func() { st.operate(f) })
		}
	}
}

// command tells of one that was answered at once.
func (r *recorder) command(by, action string, ask, answer any) {
	id := r.ask(by, action, ask)
	r.answer(id, "answered", answer, 250*time.Millisecond)
}

func (r *recorder) ask(by, action string, ask any) (id string) {
	r.commands++
	id = fmt.Sprintf("%s-c%d", r.st.spec.ID, r.commands)
	r.note(Told{Kind: ToldAsked, TxID: id, Word: action, Reason: by, Payload: encoded(ask)})
	return id
}

func (r *recorder) answer(id, status string, answer any, in time.Duration) {
	x := Told{Kind: ToldAnswered, TxID: id, Word: status, HeardAt: r.st.now.Add(in)}
	x.At = x.HeardAt
	if answer != nil {
		x.Payload = encoded(answer)
	}
	r.note(x)
}

func encoded(v any) json.RawMessage {
	raw, err := json.Marshal(v)
	if err != nil { // only maps of plain values come here
		return nil
	}
	return raw
}

// Probing: the central system asks each station about every hour how its plugs
// are, and once more a minute after nothing came.
const (
	probeEvery   = time.Hour
	probeTimeout = 30 * time.Second
	probeAgain   = time.Minute
)

func (st *station) expectProbe() {
	st.after(between(st.jitter, probeEvery*8/10, probeEvery*12/10), func() {
		if st.past != nil {
			st.probe(4)
			st.expectProbe()
		}
	})
}

func (st *station) probe(left int) {
	r := st.past
	if r == nil || !r.linked {
		return
	}
	id := r.ask(Prober, "TriggerMessage", map[string]any{"requestedMessage": "StatusNotification"})
	if st.hung {
		r.answer(id, "timeout", nil, probeTimeout)
		if left > 1 {
			st.after(probeAgain, func() { st.probe(left - 1) })
		}
		return
	}
	if _, deaf := st.failing(Unanswering, nil); deaf {
		r.answer(id, "answered", statusAnswer{"NotImplemented"}, 200*time.Millisecond)
		return
	}
	r.answer(id, "answered", statusAnswer{"Accepted"}, between(st.jitter, 150*time.Millisecond, 900*time.Millisecond))
	st.after(time.Second, func() {
		for _, e := range st.evses {
			for _, c := range e.conns {
				st.d.status(c, true)
			}
		}
	})
}
