package health

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestOffline(t *testing.T) {
	site := `
		12:00 A configured site=s dc=2
		12:00 B configured site=s dc=1
		12:00 A connected
		12:00 A boot
		12:00 B connected
		12:00 B boot
		12:00 A/1 status Available
		12:00 A/2 status Available
		12:00 B/1 status Available
	`
	stories(t, "D01", map[string]struct{ story, want string }{
		"a DC station is away for an hour and more": {site + `
			13:00 A disconnected
			15:00 A connected
			15:10 A wait`, `
			13:05:00 A raised offline S3
			14:00:00 A updated offline S2
			15:01:00 A cleared offline`},
		"an AC station has 15 minutes": {`
			12:00 A configured site=s ac=2
			12:00 A connected
			12:00 A boot
			12:00 A/1 status Available
			12:00 B configured site=s ac=1
			12:00 B connected
			12:00 B/1 status Available
			13:00 A disconnected
			13:16 A wait`, `
			13:15:00 A raised offline S3`},
		"back just in time": {site + `
			13:00 A disconnected
			13:04:59 A connected
			13:30 A wait`, ``},
		"away again before the return holds": {site + `
			13:00 A disconnected
			13:10 A connected
			13:10:30 A disconnected
			13:20 A connected
			13:30 A wait`, `
			13:05:00 A raised offline S3
			13:21:00 A cleared offline`},
		"the last free port of the site is urgent at once": {site + `
			12:30 B/1 status Charging
			13:00 A disconnected
			13:06 A wait`, `
			13:05:00 A raised offline S2`},
		"another class of power does not help": {`
			12:00 A configured site=s dc=1
			12:00 B configured site=s ac=1
			12:00 A connected
			12:00 B connected
			12:00 A/1 status Available
			12:00 B/1 status Available
			13:00 A disconnected
			13:06 A wait`, `
			13:05:00 A raised offline S2`},
		"a socket that another took over from is no loss": {site + `
			13:00 A connected replaced=A-1
			13:30 A wait`, ``},
		"our own start: nothing for 15 minutes": {site + `
			13:00 self started-server alive=12:59
			13:10 B connected
			13:14 A connected
			13:30 A wait`, ``},
		"our own start, and it never comes back": {site + `
			13:00 self started-server alive=12:59
			13:10 B connected
			13:10 B/1 status Available
			13:16 A wait`, `
			13:15:00 A raised offline S3`},
		"while we were down no wait ended": {site + `
			13:00 A disconnected
			15:00 self started-server alive=13:01
			15:05 A connected
			15:06 B connected
			15:30 A wait`, ``},
		"a station that was never here": {`
			12:00 A configured site=s dc=1
			13:00 self started-server alive=12:59
			14:00 A wait`, ``},
		"people decided other minutes for the site": {`
			11:00 self threshold D01@site/s value={"detector":"D01","scope":"site/s","values":{"dcMinutes":30}}` + site + `
			13:00 A disconnected
			13:31 A wait`, `
			13:30:00 A raised offline S3`},
		"switched off for the station": {`
			11:00 self threshold D01@station/A value={"detector":"D01","scope":"station/A","off":true}` + site + `
			13:00 A disconnected
			15:31 A wait`, ``},
		"removed while away": {site + `
			13:00 A disconnected
			13:30 A removed`, `
			13:05:00 A raised offline S3
			13:30:00 A cleared offline`},
	})
}

// Many stations lost together point at ourselves: incidents fold them by it.
func TestOfflineOfMany(t *testing.T) {
	var story strings.Builder
	for i := range 40 {
		fmt.Fprintf(&story, "12:00 S%02d configured site=s%d dc=1\n12:00 S%02d connected\n12:00 S%02d boot iccid=89492000000000000%03d\n", i, i, i, i, i)
	}
	lose := func(n int) string {
		out := story.String()
		for i := range n {
			out += fmt.Sprintf("13:00:%02d S%02d disconnected\n", i, i)
		}
		return out + "13:10 S00 wait\n"
	}
	shared := func(story string) (all int, us int) {
		for _, f := range watch(t, tell(t, story), "D01").findings {
			all++
			if slices.Contains(f.Shared, "us") {
				us++
			}
			if !slices.Contains(f.Shared, "carrier/894920") || !slices.Contains(f.Shared, "firmware/Hypervolt/One/1.0") {
				t.Errorf("shares %v", f.Shared)
			}
		}
		return all, us
	}
	if all, us := shared(lose(20)); all != 20 || us != 20 {
		t.Errorf("20 of 40: %d findings, %d point at us", all, us)
	}
	if all, us := shared(lose(11)); all != 11 || us != 0 {
		t.Errorf("11 of 40: %d findings, %d point at us", all, us)
	}
}
