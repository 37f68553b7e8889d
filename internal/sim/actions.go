package sim

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// What central systems may ask of a station, apart from how they spell it.

// evse returns a port by number, nil if there is none.
func (st *station) evse(id int) *evse {
	if id < 1 || id > len(st.evses) {
		return nil
	}
	return st.evses[id-1]
}

// connector returns a plug by its 1.6 number, nil if there is none.
func (st *station) connector(flat int) *connector {
	for _, e := range st.evses {
		for _, c := range e.conns {
			if c.flat == flat {
				return c
			}
		}
	}
	return nil
}

// remoteStart accepts a start for a port, or for any when e is nil.
func (st *station) remoteStart(e *evse, r *remoteStart) (*evse, bool) {
	usable := func(e *evse) bool {
		if !e.operative || !st.operative || e.tx != nil && st.version == V16 || e.fault != nil && !e.fault.kind.warning {
			return false
		}
		if e.booking != nil && e.booking.token != r.token.ID {
			return false
		}
		return e.visit == nil && e.remote == nil || e.visit != nil && e.visit.phase == plugged
	}
	if e == nil {
		for _, x := range st.evses {
			if usable(x) && (e == nil || e.visit == nil && x.visit != nil) {
				e = x
			}
		}
	}
	if e == nil || !usable(e) {
		return nil, false
	}
	start := func() {
		if v := e.visit; v != nil && v.phase == plugged {
			v.remote, v.doomed = r, false
			e.grant(r.token)
			return
		}
		if e.visit != nil {
			return
		}
		e.remote = r
		wait := st.set.connectionTimeOut
		if wait <= 0 {
			wait = time.Minute
		}
		r.limit = st.after(wait, func() {
			if e.remote == r {
				e.remote = nil
			}
		})
		// Whoever asked stands in front of the station with a cable.
		st.after(between(st.life, 4*time.Second, min(15*time.Second, wait)), func() {
			if e.remote == r && e.free() {
				e.plugIn(e.newVisit(pickCar(st.life, e.dc()), r.token, st.life))
			}
		})
	}
	st.after(time.Second, func() {
		if !st.set.authorizeRemote {
			start()
			return
		}
		st.d.authorize(r.token, func(ok bool) {
			if ok {
				start()
			}
		})
	})
	return e, true
}

// remoteStop ends a running transaction shortly.
func (st *station) remoteStop(t *tx) {
	e := t.e
	st.after(time.Second, func() {
		if e.tx != t {
			return
		}
		e.stopTx(reasonRemote)
		if v := e.visit; v != nil {
			v.do(e, between(st.life, 15*time.Second, 2*time.Minute), e.unplug)
		}
	})
}

// unlock releases a plug; a running session ends with it.
func (st *station) unlock(e *evse) string {
	switch {
	case e.dc():
		return "NotSupported"
	case e.fault != nil && e.fault.kind.component == "ConnectorPlugRetentionLock":
		return "UnlockFailed"
	}
	st.after(time.Second, func() {
		if e.tx != nil {
			e.stopTx(reasonUnlock)
		}
		if v := e.visit; v != nil {
			v.do(e, 5*time.Second, e.unplug)
		}
	})
	return "Unlocked"
}

// availability opens or closes a port, or the whole station when e is nil. A
// port in use closes when the transaction ends.
func (st *station) availability(e *evse, operative bool) string {
	busy := false
	for _, x := range st.evses {
		if (e == nil || x == e) && x.tx != nil {
			busy = true
		}
	}
	st.after(0, func() {
		if e == nil {
			st.operative = operative
			st.d.stationStatus()
			for _, x := range st.evses {
				x.refresh()
			}
			return
		}
		e.operative = operative
		e.refresh()
	})
	if busy && !operative {
		return "Scheduled"
	}
	return "Accepted"
}

// reserve books a port until expiry.
func (st *station) reserve(e *evse, b *booking, until time.Time) string {
	switch {
	case e.fault != nil && !e.fault.kind.warning:
		return "Faulted"
	case !e.operative || !st.operative:
		return "Unavailable"
	case e.visit != nil, e.booking != nil && e.booking.id != b.id:
		return "Occupied"
	case !until.After(st.now):
		return "Rejected"
	}
	if e.booking != nil {
		st.timers.stop(e.booking.expiry)
	}
	e.booking = b
	b.expiry = st.timers.set(until, func() {
		if e.booking == b {
			e.booking = nil
			e.refresh()
			st.d.reservationEnded(b, "Expired")
		}
	})
	st.after(0, e.refresh)
	return "Accepted"
}

// cancelReservation releases a booking.
func (st *station) cancelReservation(id int) bool {
	for _, e := range st.evses {
		if e.booking != nil && e.booking.id == id {
			st.timers.stop(e.booking.expiry)
			e.booking = nil
			st.after(0, e.refresh)
			return true
		}
	}
	return false
}

// upload sends a log or diagnostics to the central system. To any other place no file
// leaves the machine: the station only says what a real one would.
func (st *station) upload(request int, location, name string) {
	if st.reaches(location) {
		st.uploadFile(request, location, name)
		return
	}
	st.jobs++
	job := st.jobs
	ok := strings.Contains(location, "://")
	st.steps(job, []time.Duration{2 * time.Second, 12 * time.Second}, func(i int) {
		switch {
		case i == 0:
			st.d.logStatus(request, "Uploading")
		case ok:
			st.d.logStatus(request, "Uploaded")
		default:
			st.d.logStatus(request, "UploadFailed")
		}
	})
}

// updateFirmware fetches firmware from the central system, or plays that, and plays the
// update including its reboot.
func (st *station) updateFirmware(request int, location string, at time.Time, signed *signature) {
	if st.reaches(location) {
		st.fetchFirmware(request, location, at, signed)
		return
	}
	st.jobs++
	job := st.jobs
	wait := max(2*time.Second, at.Sub(st.now))
	if !strings.Contains(location, "://") {
		st.steps(job, []time.Duration{wait, 10 * time.Second}, func(i int) {
			st.d.firmwareStatus(request, []string{"Downloading", "DownloadFailed"}[i])
		})
		return
	}
	statuses := []string{"Downloading", "Downloaded"}
	gaps := []time.Duration{wait, 25 * time.Second}
	if signed != nil {
		statuses = append(statuses, "SignatureVerified")
		gaps = append(gaps, 2*time.Second)
	}
	statuses = append(statuses, "Installing")
	gaps = append(gaps, 5*time.Second)
	st.steps(job, gaps, func(i int) {
		st.d.firmwareStatus(request, statuses[i])
		if i == len(statuses)-1 {
			st.after(15*time.Second, func() {
				st.firmware = nextFirmware(st.firmware)
				st.reboot(reasonReboot, "FirmwareUpdate", 40*time.Second)
				st.installed = func() {
					st.d.firmwareStatus(request, "Installed")
					st.d.security("FirmwareUpdated", st.firmware)
				}
			})
		}
	})
}

// steps runs the steps of a job that a newer job of its kind cancels.
func (st *station) steps(job int64, gaps []time.Duration, fn func(i int)) {
	at := time.Duration(0)
	for i, gap := range gaps {
		at += gap
		st.after(at, func() {
			if st.jobs == job {
				fn(i)
			}
		})
	}
}

// nextFirmware raises the last number of a version.
func nextFirmware(v string) string {
	i := len(v)
	for i > 0 && v[i-1] >= '0' && v[i-1] <= '9' {
		i--
	}
	n, err := strconv.Atoi(v[i:])
	if err != nil {
		return v + ".1"
	}
	return fmt.Sprint(v[:i], n+1)
}
