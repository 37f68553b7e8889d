package health

import (
	"fmt"
	"math"
	"strings"
	"testing"
)

// many writes n tries of different drivers, every ten minutes from a day on,
// twelve hours a day; bad says which fail.
func many(day, n int, port string, bad func(i int) string) string {
	var b strings.Builder
	for i := range n {
		minutes := 8*60 + i%60*10
		b.WriteString(try(fmt.Sprintf("%d/%02d:%02d", day+i/60, minutes/60, minutes%60), port, fmt.Sprintf("d%d", i%37), bad(i)))
	}
	return b.String()
}

func every(n int, how string) func(int) string {
	return func(i int) string {
		if i%n == n-1 {
			return how
		}
		return ""
	}
}

// begun are stations of one model that are online.
func begun(site string, ids ...string) string {
	var b strings.Builder
	for _, id := range ids {
		fmt.Fprintf(&b, "0/00:00 %s configured site=%s ac=2\n0/00:00 %s connected\n0/00:00 %s boot\n0/00:00 %s/1 status Available\n0/00:00 %s/2 status Available\n", id, site, id, id, id, id)
	}
	return b.String()
}

func TestSuccessDrop(t *testing.T) {
	works := every(1000, "fault")
	stories(t, "D06", map[string]struct{ story, want string }{
		"a port that fails every second time, among others that work": {
			begun("s", "A", "B") + many(0, 120, "B/1", works) + many(3, 12, "A/1", every(2, "fault")), `
			3/09:30:20 A/1 raised successDrop S3`},
		"it works again": {
			begun("s", "A", "B") + many(0, 120, "B/1", works) + many(3, 12, "A/1", every(2, "fault")) + many(4, 60, "A/1", works), `
			3/09:30:20 A/1 raised successDrop S3
			4/11:20:52 A/1 cleared successDrop`},
		"nine tries are too few":            {begun("s", "A", "B") + many(0, 120, "B/1", works) + many(3, 9, "A/1", every(2, "fault")), ``},
		"one of ten failing is near usual":  {begun("s", "A", "B") + many(0, 120, "B/1", works) + many(3, 40, "A/1", every(10, "fault")), ``},
		"drivers and cars are not the port": {begun("s", "A", "B") + many(0, 120, "B/1", works) + many(3, 30, "A/1", every(2, "car")), ``},
		"people who leave are not the port": {begun("s", "A", "B") + many(0, 120, "B/1", works) + many(3, 30, "A/1", every(2, "leave")), ``},
		"a bad week ago and nothing since":  {begun("s", "A", "B") + many(0, 120, "B/1", works) + many(3, 9, "A/1", every(2, "fault")) + many(12, 5, "A/1", every(2, "fault")), ``},
		"a model of which every port is bad": {begun("s", "A", "B") + many(0, 600, "B/1", every(3, "fault")) + many(11, 12, "A/1", every(3, "fault")), `
			14:50:20 B/1 raised successDrop S3
			7/08:00:52 B/1 cleared successDrop`},
	})
}

func TestBetaBelow(t *testing.T) {
	for _, tc := range []struct{ a, b, x, want float64 }{
		{1, 1, 0.3, 0.3}, {2, 1, 0.5, 0.25}, {1, 3, 0.2, 1 - 0.512}, {5, 5, 0.5, 0.5}, {2, 2, 0.25, 0.15625}, {0.5, 0.5, 0.5, 0.5}, {30, 2, 0.8, 0.008488},
		{3, 4, 0, 0}, {3, 4, 1, 1},
	} {
		if got := betaBelow(tc.a, tc.b, tc.x); math.Abs(got-tc.want) > 2e-3*max(tc.want, 0.1) {
			t.Errorf("beta(%v, %v) below %v: %v, want %v", tc.a, tc.b, tc.x, got, tc.want)
		}
	}
	if p := worseBy(10, 100, 5, 100); math.Abs(p-0.0894) > 0.001 {
		t.Errorf("10 of 100 against 5 of 100: %v", p)
	}
}

func TestFirmwareRegression(t *testing.T) {
	ids := []string{"A", "B", "C", "D"}
	story := func(after string, howMany, only, each int) string {
		var b strings.Builder
		b.WriteString(begun("s", ids...))
		for _, id := range ids {
			b.WriteString(many(0, 60, id+"/1", every(30, "fault")))
		}
		for _, id := range ids {
			fmt.Fprintf(&b, "2/00:00 %s boot firmware=2.0\n", id)
		}
		for i, id := range ids {
			how := every(each, after)
			if i >= only {
				how = every(1000, "fault")
			}
			b.WriteString(many(3+i, howMany, id+"/1", how))
		}
		return b.String()
	}
	stories(t, "D25", map[string]struct{ story, want string }{
		"a quarter fails since the update":  {story("fault", 40, 4, 4), "5/11:50:20 C raised firmwareRegression S2"},
		"every other one fails since":       {story("fault", 6, 4, 2), `5/08:10:20 C raised firmwareRegression S2`},
		"only one station fails":            {story("fault", 40, 1, 4), ``},
		"too few tries since":               {story("fault", 12, 4, 4), ``},
		"drivers who leave are no firmware": {story("leave", 40, 4, 4), ``},
	})
}

func TestSilentPort(t *testing.T) {
	// Five weeks: port 1 of A and of B are used four times a day.
	var learn strings.Builder
	learn.WriteString(begun("s", "A", "B", "C"))
	for d := range 35 {
		for h := 8; h < 20; h += 3 {
			learn.WriteString(works(fmt.Sprintf("%d/%02d:00", d, h), "A/1", "a"))
			learn.WriteString(works(fmt.Sprintf("%d/%02d:00", d, h+1), "B/1", "b"))
		}
	}
	others := func(times int) string {
		var b strings.Builder
		for d := 35; d < 38; d++ {
			for i := range 4 * times {
				b.WriteString(works(fmt.Sprintf("%d/%02d:%02d", d, 8+i*10/60, i*10%60), "B/1", "b"))
			}
		}
		return b.String() + "39/00:00 A wait\n"
	}
	fault := fails("34/18:00", "A/1", "x")
	stories(t, "D08", map[string]struct{ story, want string }{
		"silent, the others busy, and the last try failed": {learn.String() + fault + others(4) + works("39/08:00", "A/1", "a"), `
			35/09:48:00 A/1 raised silentPort S3
			39/08:00:52 A/1 cleared silentPort`},
		"the others as busy as ever": {learn.String() + fault + others(1) + works("39/08:00", "A/1", "a"), `
			36/08:48:00 A/1 raised silentPort S3
			39/08:00:52 A/1 cleared silentPort`},
		"without anything that went wrong":                   {learn.String() + others(4), ``},
		"nobody charges at the others either":                {learn.String() + fault + others(0), ``},
		"a port that says it is out of order needs no guess": {learn.String() + fault + "34/19:00 A/1 status Faulted error=InternalError\n" + others(4), ``},
	})
}

func TestDeadReader(t *testing.T) {
	usual := func(day, n int) string { return many(day, n, "A/1", every(5, "leave")) }
	stories(t, "D26", map[string]struct{ story, want string }{
		"cards were read, then none, then again": {
			begun("s", "A") + usual(0, 60) + many(2, 14, "A/1", every(1, "leave")) + many(3, 3, "A/1", every(9, "leave")), `
			2/08:30:50 A raised deadReader S2
			3/08:20:52 A cleared deadReader`},
		"a third without a card is near usual": {begun("s", "A") + usual(0, 60) + many(2, 40, "A/1", every(3, "leave")), ``},
		"a site where most use an app":         {begun("s", "A") + many(0, 60, "A/1", func(i int) string { return map[bool]string{true: "", false: "leave"}[i%5 == 0] }) + many(2, 20, "A/1", every(1, "leave")), ``},
		"a young station":                      {begun("s", "A") + usual(0, 15) + many(2, 12, "A/1", every(1, "leave")), ``},
		"nobody has to show anything": {begun("s", "A") + "0/00:01 A configured site=s ac=2 free=yes\n" +
			usual(0, 60) + many(2, 20, "A/1", every(1, "leave")), ``},
	})
}
