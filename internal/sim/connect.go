package sim

import "time"

// connect dials when a link is wanted and possible.
func (st *station) connect() {
	st.timers.stop(st.redial)
	st.redial = nil
	if st.past != nil && !st.away && !st.down {
		st.past.found()
	}
	if st.wire != nil || st.dialing || st.away || st.down || st.warming || st.f.ctx.Err() != nil {
		return
	}
	st.dialing = true
	st.f.work.Go(st.session)
}

// session dials, reads until the link ends and cleans up. It is the one
// goroutine of a connected station.
func (st *station) session() {
	l, err := st.f.dial(st)
	st.mu.Lock()
	st.dialing = false
	st.advance(st.f.clock.now())
	if err == nil && (st.away || st.down) {
		l.Drop()
		err = errNoLink
	}
	if err != nil {
		st.failures++
		st.ways.failed()
		st.f.stats.dialFailed(err)
		st.retryDial()
		st.leave(false)
		return
	}
	w := &wire{link: l}
	st.wire = w
	st.failures, st.ways.missed = 0, 0
	st.f.stats.dials.Add(1)
	st.f.stats.online.Add(1)
	st.linked()
	st.leave(false)

	for {
		frame, err := l.Read(st.f.ctx)
		if err != nil {
			break
		}
		st.f.stats.framesIn.Add(1)
		st.mu.Lock()
		st.advance(st.f.clock.now())
		if st.wire == w {
			st.receive(frame)
		}
		st.leave(false)
	}
	l.Drop()
	st.mu.Lock()
	st.advance(st.f.clock.now())
	if st.wire == w {
		st.unlinked()
	}
	st.f.stats.online.Add(-1)
	if st.wire == nil && !st.dialing {
		st.retryDial()
	}
	st.leave(false)
}

// retryDial waits longer after each failure, up to a minute, with jitter so
// that a fleet does not come back in step.
func (st *station) retryDial() {
	if st.away || st.down || st.f.ctx.Err() != nil || st.redial != nil {
		return
	}
	wait := min(time.Second<<min(st.failures, 6), time.Minute)
	st.redial = st.after(st.f.clock.sim(between(st.jitter, wait/2, wait)), func() { st.redial = nil; st.connect() })
}

// linked starts the conversation on a new link.
func (st *station) linked() {
	if !st.booted || st.spec.Model.BootOnReconnect && !st.quirks.has(BootOnce) {
		st.accepted = false
		st.boot(st.bootReason)
		return
	}
	if st.ever {
		st.accepted = true
		st.tell(false)
		st.heartbeatIn(st.set.heartbeat)
		st.pump()
	}
}

// unlinked forgets the link.
func (st *station) unlinked() {
	st.wire.dead = true
	st.wire = nil
	st.accepted = false
	st.timers.stop(st.beat)
	st.beat = nil
	st.hangUp()
}

// lose drops the network for a while. A silent loss is a dead modem: nobody
// closes the socket until the station is back and opens another.
func (st *station) lose(d time.Duration, silent bool) {
	if st.down {
		return
	}
	back := st.now.Add(d)
	if st.past != nil && !st.past.lose(back, silent) {
		return
	}
	st.away = true
	if back.After(st.backAt) {
		st.backAt = back
	}
	if w := st.wire; w != nil {
		st.unlinked()
		if silent {
			w.link.Freeze()
			st.stale = w.link
		} else {
			w.link.Drop()
		}
	}
	st.timers.set(st.backAt, st.comeBack)
}

func (st *station) comeBack() {
	if st.now.Before(st.backAt) {
		return // another loss lasts longer
	}
	st.away = false
	st.dropStale()
	st.connect()
}

func (st *station) dropStale() {
	if st.stale != nil {
		st.stale.Drop()
		st.stale = nil
	}
}
