package main

import (
	"fmt"
	"testing"
)

func TestAMedianSaysHowSureItIs(t *testing.T) {
	for _, c := range []struct {
		list []float64
		want string
	}{
		{nil, "none"},
		{[]float64{2, 1}, "median 1.50 (1.00 to 2.00, n = 2)"},
		{[]float64{6, 5, 4, 3, 2, 1}, "median 3.50 (1.00 to 6.00, n = 6)"},               // 96.9 %
		{[]float64{10, 9, 8, 7, 6, 5, 4, 3, 2, 1}, "median 5.50 (2.00 to 9.00, n = 10)"}, // 97.9 %; 3 to 8 would be 89.1 %
	} {
		if got := fmt.Sprint(spreadOf(c.list)); got != c.want {
			t.Errorf("%v: %s, want %s", c.list, got, c.want)
		}
	}
}

func TestNeighboursAreCompared(t *testing.T) {
	at := func(list ...float64) (out []latency) {
		for _, p := range list {
			out = append(out, latency{P99: p})
		}
		return out
	}
	// In the order they are taken: 1 2, 4 3, 5 10, 12 0.
	c := pairwise(at(1, 3, 5, 0), at(2, 4, 10, 12), func(l latency) float64 { return l.P99 })
	if got, want := fmt.Sprint(c.pairs), "median 2.00 (1.33 to 2.00, n = 3)"; got != want {
		t.Errorf("pairs %s, want %s", got, want)
	}
	// 2 and 4, 3 and 5, 10 and 12 were neighbours.
	if got, want := fmt.Sprint(c.alike), "median 1.67 (1.20 to 2.00, n = 3)"; got != want {
		t.Errorf("alike %s, want %s", got, want)
	}
}
