package health

import "testing"

func TestFlapping(t *testing.T) {
	begin := `
		12:00 A configured site=s ac=2
		12:00 A connected
		12:00 A boot
		12:00 A/1 status Available
	`
	comesAndGoes := `
		13:00 A disconnected
		13:05 A connected
		13:10 A disconnected
		13:15 A connected
		13:20 A disconnected
		13:25 A connected
	`
	stories(t, "D04", map[string]struct{ story, want string }{
		"a connection that comes and goes": {begin + comesAndGoes + `
			15:00 A wait`, `
			13:25:00 A raised flapping S3
			14:25:00 A cleared flapping`},
		"five changes in an hour": {begin + `
			13:00 A disconnected
			13:05 A connected
			13:10 A disconnected
			13:15 A connected
			13:20 A disconnected
			14:01 A connected
			15:00 A wait`, ``},
		"a busy port is no edge": {begin + `
			13:00 A/1 status Preparing
			13:01 A/1 status Charging
			13:10 A/1 status Finishing
			13:11 A/1 status Available
			13:12 A/1 status Preparing
			13:13 A/1 status Charging
			13:20 A/1 status Finishing
			13:21 A/1 status Available
			14:00 A wait`, ``},
		"a port in and out of service": {begin + `
			13:00 A/1 status Faulted error=InternalError
			13:01 A/1 status Available
			13:02 A/1 status Faulted error=InternalError
			13:03 A/1 status Available
			13:04 A/1 status Faulted error=InternalError
			13:05 A/1 status Available
			15:00 A wait`, `
			13:05:00 A/1 raised flapping S3
			14:05:00 A/1 cleared flapping`},
		"changes after our commands": {begin + `
			13:00 A command Reset id=1
			13:01 A disconnected
			13:02 A connected
			13:03 A command ChangeAvailability id=2
			13:04 A/1 status Unavailable
			13:05 A/1 status Available
			13:06 A/1 status Unavailable
			13:07 A/1 status Available
			13:08 A/1 status Unavailable
			13:09 A/1 status Available
			14:00 A wait`, ``},
		"our own starts": {begin + `
			13:00 self started-server alive=12:59
			13:01 A connected
			13:10 self started-server alive=13:09
			13:11 A connected
			13:20 self started-server alive=13:19
			13:21 A connected
			13:22 A disconnected
			13:23 A connected
			13:24 A disconnected
			13:25 A connected
			15:00 A wait`, ``},
	})
}
