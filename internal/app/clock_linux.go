package app

import "syscall"

// clockState says whether something keeps the clock of the machine right: the
// kernel knows (adjtimex, STA_UNSYNC).
func clockState() string {
	const unsynchronised = 0x40
	var t syscall.Timex
	if _, err := syscall.Adjtimex(&t); err != nil {
		return "unknown"
	}
	if t.Status&unsynchronised != 0 {
		return "free"
	}
	return "synchronised"
}
