package sim

import (
	"encoding/json"
	"fmt"
	"time"
)

// What operators do to stations in a run in virtual time. The commands are
// told with their answers, as the journal holds them.

// Operator is who commands in a run in virtual time.
const Operator = "user:operator"

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
	r.commands++
	id := fmt.Sprintf("%s-c%d", r.st.spec.ID, r.commands)
	r.note(Told{Kind: ToldAsked, TxID: id, Word: action, Reason: by, Payload: encoded(ask)})
	at := r.st.now.Add(250 * time.Millisecond)
	r.note(Told{Kind: ToldAnswered, TxID: id, At: at, HeardAt: at, Payload: encoded(answer)})
}

func encoded(v any) json.RawMessage {
	raw, err := json.Marshal(v)
	if err != nil { // only maps of plain values come here
		return nil
	}
	return raw
}
