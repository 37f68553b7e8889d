package health

import (
	"fmt"
	"strings"
	"testing"
)

func TestLinkQuality(t *testing.T) {
	begin := `
		0/00:00 A configured site=s ac=1
		0/00:00 A connected
		0/00:00 A boot
	`
	drops := func(day, n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, "%d/%02d:00 A disconnected\n%d/%02d:01 A connected\n", day, 2*i+1, day, 2*i+1)
		}
		return b.String()
	}
	var usual strings.Builder
	for d := 1; d <= 10; d++ {
		usual.WriteString(drops(d, 1))
	}
	answers := func(day, n, seconds int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, "%d/%02d:00 A command TriggerMessage id=c%d.%d\n%d/%02d:00:%02d A result answered id=c%d.%d\n", day, i, day, i, day, i, seconds, day, i)
		}
		return b.String()
	}
	stories(t, "D17", map[string]struct{ story, want string }{
		"answers that take many times what they took": {begin + answers(1, 12, 1) + answers(2, 12, 1) + answers(4, 10, 9) + answers(6, 10, 1) + "7/12:00 A wait", `
			4/07:00:09 A raised badLink S3
			5/01:48:00 A cleared badLink`},
		"a station that was always slow":     {begin + answers(1, 12, 9) + answers(2, 12, 9) + answers(4, 10, 9) + "5/12:00 A wait", ``},
		"answers that are slow but not very": {begin + answers(1, 12, 1) + answers(2, 12, 1) + answers(4, 10, 2) + "5/12:00 A wait", ``},
		"a slow day before much was learnt":  {begin + answers(1, 10, 1) + answers(3, 10, 9) + "4/12:00 A wait", ``},
		"seven reconnects in a day": {begin + drops(1, 7) + "3/00:00 A wait", `
			1/13:01:00 A raised badLink S3
			2/07:48:00 A cleared badLink`},
		"six of them": {begin + drops(1, 6) + "3/00:00 A wait", ``},
		"five where one is usual": {begin + usual.String() + drops(11, 5) + "11/12:00 A wait", `
			11/09:01:00 A raised badLink S3`},
		"four where one is usual":     {begin + usual.String() + drops(11, 4) + "11/12:00 A wait", ``},
		"five before much was learnt": {begin + drops(1, 1) + drops(2, 5) + "2/12:00 A wait", ``},
		"restarts that we asked for":  {begin + strings.ReplaceAll(drops(1, 8), "A disconnected", "A command Reset id=x") + "2/12:00 A wait", ``},
		"our own starts": {begin + `
			1/01:00 self started-server alive=1/00:59
			1/01:01 A connected
			1/02:00 self started-server alive=1/01:59
			1/02:01 A connected
			1/03:00 self started-server alive=1/02:59
			1/03:01 A connected
			1/04:00 self started-server alive=1/03:59
			1/04:01 A connected
			1/05:00 self started-server alive=1/04:59
			1/05:01 A connected
			1/06:00 self started-server alive=1/05:59
			1/06:01 A connected
			1/07:00 self started-server alive=1/06:59
			1/07:01 A connected`, ``},
		"three requests without an answer": {begin + `
			1/01:00 A result timeout id=a
			1/02:00 A result timeout id=b
			1/03:00 A result timeout id=c`, `
			1/03:00:00 A raised badLink S3`},
	})
}

func TestStuckState(t *testing.T) {
	begin := `
		0/00:00 A configured site=s dc=1
		0/00:00 B configured site=s ac=1
		0/00:00 G configured site=s dc=2 group=g
		0/00:00 A connected
		0/00:00 B connected
		0/00:00 G connected
		0/00:00 A/1 status Available
		0/00:00 B/1 status Available
		0/00:00 G/1 status Available
		0/00:00 G/2 status Available
	`
	stories(t, "D23", map[string]struct{ story, want string }{
		"a DC port in Preparing": {begin + `
			13:00 A/1 status Preparing
			13:20 A/1 status Available`, `
			13:15:00 A/1 raised stuck S3
			13:20:00 A/1 cleared stuck`},
		"a driver who takes ten minutes": {begin + `
			13:00 A/1 status Preparing
			13:10 A/1 status Charging
			14:00 A wait`, ``},
		"a DC port in Finishing": {begin + `
			13:00 A/1 status Finishing
			15:01 A wait`, `
			15:00:00 A/1 raised stuck S3`},
		"a guest who stays an hour": {begin + `
			13:00 A/1 status Finishing
			14:00 A/1 status Available`, ``},
		"a guest who overstays at AC": {begin + `
			13:00 B/1 status Finishing
			16:00 B/1 status Available`, `
			15:00:00 B/1 raised overstay S4
			16:00:00 B/1 cleared overstay`},
		"suspended while the neighbour of its group charges": {begin + `
			13:00 G/2 started tx=2 token=bert wh=0
			13:00 G/1 status SuspendedEVSE
			16:00 G wait`, ``},
		"suspended alone": {begin + `
			13:00 G/1 status SuspendedEVSE
			14:30 G wait`, `
			14:00:00 G/1 raised stuck S4`},
		"out of service and nobody asked for it": {begin + `
			0/01:00 A/1 status Unavailable
			0/14:00 A/1 status Available`, `
			13:00:00 A/1 raised stuck S3
			14:00:00 A/1 cleared stuck`},
		"off and on again, and as stuck as before": {begin + `
			13:00 A/1 status Preparing
			13:16 A command ChangeAvailability id=1 payload={"connectorId":1,"type":"Inoperative"}
			13:16:01 A/1 status Unavailable
			13:16:15 A command ChangeAvailability id=2 payload={"connectorId":1,"type":"Operative"}
			13:16:16 A/1 status Preparing
			13:50 A/1 status Available`, `
			13:15:00 A/1 raised stuck S3
			13:50:00 A/1 cleared stuck`},
		"off and on again, and free": {begin + `
			13:00 A/1 status Preparing
			13:16 A command ChangeAvailability id=1 payload={"connectorId":1,"type":"Inoperative"}
			13:16:01 A/1 status Unavailable
			13:16:15 A command ChangeAvailability id=2 payload={"connectorId":1,"type":"Operative"}
			13:16:16 A/1 status Available`, `
			13:15:00 A/1 raised stuck S3
			13:16:16 A/1 cleared stuck`},
		"out of service because we asked": {begin + `
			0/01:00 A command ChangeAvailability id=1 payload={"connectorId":1,"type":"Inoperative"}
			0/01:01 A/1 status Unavailable
			1/14:00 A wait`, ``},
		"put back, and still out of service": {begin + `
			0/01:00 A command ChangeAvailability id=1 payload={"connectorId":0,"type":"Inoperative"}
			0/01:01 A/1 status Unavailable
			0/06:01 A command ChangeAvailability id=2 payload={"connectorId":0,"type":"Operative"}
			1/02:00 A wait`, `
			13:01:00 A/1 raised stuck S3`},
		"its connection is gone": {begin + `
			13:00 A/1 status Preparing
			13:05 A disconnected
			15:00 A wait`, ``},
	})
}

// A model whose ports usually stay that long is not stuck.
func TestStuckStateLearns(t *testing.T) {
	var b strings.Builder
	b.WriteString("0/00:00 A configured site=s dc=1\n0/00:00 A connected\n0/00:00 A/1 status Available\n")
	for i := range 210 {
		fmt.Fprintf(&b, "%d/%02d:00 A/1 status Finishing\n%d/%02d:%02d A/1 status Available\n", i/20, i%20, i/20, i%20, 20+i%9)
	}
	long := b.String() + "12/10:00 A/1 status Finishing\n12/11:10 A/1 status Available\n"
	got := strings.Join(watch(t, tell(t, long), "D23").lines, "\n")
	// 99 of 100 stays are below 32 minutes, so twice that is too long.
	if want := "12/11:04:00 A/1 raised stuck S3\n12/11:10:00 A/1 cleared stuck"; got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestClockSkew(t *testing.T) {
	begin := `
		12:00 A connected
		12:00 A boot
	`
	stories(t, "D24", map[string]struct{ story, want string }{
		"two minutes ahead, then right": {begin + `
			13:00 A/1 status Available clock=13:02
			13:02 A/1 status Available clock=13:04
			13:03 A/1 status Available clock=13:03
			13:04 A/1 status Available clock=13:04
			13:05 A/1 status Available clock=13:05`, `
			13:02:00 A raised clockSkew S4
			13:05:00 A cleared clockSkew`},
		"an hour behind": {begin + `
			13:00 A/1 status Available clock=12:00
			13:02 A/1 status Available clock=12:02`, `
			13:02:00 A raised clockSkew S3`},
		"it sets its clock after the start": {begin + `
			13:00 A/1 status Available clock=12:00
			13:00:30 A/1 status Available clock=13:00:30
			13:02 A/1 status Available clock=13:02`, ``},
		"half a minute": {begin + `
			13:00 A/1 status Available clock=13:00:30
			13:02 A/1 status Available clock=13:02:30
			13:04 A/1 status Available clock=13:04:30`, ``},
		"a replayed queue": {begin + `
			12:30 A/1 status Available told=13:00 clock=12:30
			12:50 A/1 status Available told=13:02 clock=12:50`, ``},
		"from 1970": {begin + `
			13:00 A/1 status Available clock=-20000/00:00
			13:02 A/1 status Available clock=-20000/00:02`, `
			13:02:00 A raised clockSkew S3`},
	})
}

func TestSecurity(t *testing.T) {
	stories(t, "SEC", map[string]struct{ story, want string }{
		"somebody opens it, and again within the hour": {`
			12:00 A connected
			13:00 A security TamperDetectionActivated
			13:10 A security TamperDetectionActivated
			14:10 A security TamperDetectionActivated`, `
			13:00:00 A  security/TamperDetectionActivated S2
			14:10:00 A  security/TamperDetectionActivated S2`},
		"what only fills a log": {`
			12:00 A connected
			13:00 A security StartupOfTheDevice
			13:10 A security SettingSystemTime`, ``},
		"of yesterday": {`
			12:00 A connected
			13:00 A security TamperDetectionActivated told=1/13:00`, ``},
	})
}
