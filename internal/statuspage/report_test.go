package statuspage

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
)

const reportOf = "/status/p/DE*CWD*E1*1/report"

func TestAReportReachesTheJournal(t *testing.T) {
	n := newNetwork(t)
	hamburg(n)
	resp := n.status(http.StatusSeeOther, "POST", reportOf+"?lang=de", url.Values{"category": {"cable"}, "text": {"  Kabel <b>ab</b>\r\n\r\n\r\n\r\nseit gestern\x07 \u202e"}})
	if got := resp.Header.Get("Location"); got != "/status/ham?lang=de&reported=1#p-DECWDE11" {
		t.Errorf("leads to %s", got)
	}
	if text := n.get("/status/ham?lang=de&reported=1"); !strings.Contains(text, "Die Meldung ist beim Betreiber angekommen") {
		t.Error("nobody says thank you")
	}
	events := n.reports()
	if len(events) != 1 {
		t.Fatalf("%d reports", len(events))
	}
	e, want := events[0], event.DriverReport{Category: "cable", Text: "Kabel <b>ab</b>\n\nseit gestern", PublicID: "DE*CWD*E1*1", Language: "de"}
	if got := *e.Body.(*event.DriverReport); got != want {
		t.Errorf("kept %+v, want %+v", got, want)
	}
	if e.Subject != event.Port("SECRET-1", 1, 0) || e.Origin != event.FromUs {
		t.Errorf("about %v from %v", e.Subject, e.Origin)
	}
}

func TestAReportNamesNobody(t *testing.T) {
	for text, want := range map[string]string{
		"Call me: +49 (0)40 123456-78 please": "Call me: […] please",
		"0171/2345678":                        "[…]",
		"Mail a.b@example.com, thanks":        "Mail […] thanks",
		"Error 12345 at bay 3, 2 of 4":        "Error 12345 at bay 3, 2 of 4",
		"DE*CWD*E00401*1 is dead":             "DE*CWD*E00401*1 is dead",
		"since 14:02 on 3.4.":                 "since 14:02 on 3.4.",
	} {
		if got := anonymous(text); got != want {
			t.Errorf("%q becomes %q, want %q", text, got, want)
		}
	}
}

func TestReportsThatCannotBeTaken(t *testing.T) {
	n := newNetwork(t)
	hamburg(n)
	tests := map[string]struct {
		path string
		form url.Values
		want int
		says string
	}{
		"nothing chosen":    {reportOf, url.Values{"text": {"hello & <b>"}}, 422, "Choose what is wrong."},
		"an invented kind":  {reportOf, url.Values{"category": {"fire"}}, 422, "Choose what is wrong."},
		"too long":          {reportOf, url.Values{"category": {"other"}, "text": {strings.Repeat("ü", 501)}}, 422, "At most 500 characters"},
		"beyond all bounds": {reportOf, url.Values{"category": {"other"}, "text": {strings.Repeat("x", 10_000)}}, 422, "At most 500 characters"},
		"an unknown port":   {"/status/p/NONE/report", url.Values{"category": {"other"}}, 404, "Nothing here"},
		"an endless id":     {"/status/p/" + strings.Repeat("A", 200) + "/report", url.Values{"category": {"other"}}, 404, "Nothing here"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			n.clock.pass(time.Hour)
			text := n.text(n.status(tc.want, "POST", tc.path, tc.form))
			if !strings.Contains(text, tc.says) || strings.Contains(text, "<b>hello") {
				t.Error(text)
			}
		})
	}
	if text := n.text(n.request("POST", reportOf, url.Values{"text": {"hello & <b>"}})); !strings.Contains(text, "hello &amp; &lt;b&gt;</textarea>") {
		t.Errorf("what was written is gone: %s", text)
	}
	if got := n.reports(); len(got) != 0 {
		t.Errorf("kept %d", len(got))
	}
}

func TestAProgramThatFillsInTheTrapIsToldWhatItWantsToHear(t *testing.T) {
	n := newNetwork(t)
	hamburg(n)
	n.status(http.StatusSeeOther, "POST", reportOf, url.Values{"category": {"other"}, trap: {"https://spam.example"}})
	if got := n.reports(); len(got) != 0 {
		t.Errorf("kept %d", len(got))
	}
}

func TestReportsAreBounded(t *testing.T) {
	n := newNetwork(t)
	hamburg(n)
	form := url.Values{"category": {"start"}}
	for i := range 5 {
		n.status(http.StatusSeeOther, "POST", fmt.Sprintf("/status/p/DE*CWD*E%d*1/report", i%3+1), form, "From", "[2001:db8::1]:1")
	}
	resp := n.status(http.StatusTooManyRequests, "POST", reportOf, form, "From", "[2001:db8::2]:1") // the same /64
	if got := resp.Header.Get("Retry-After"); got != "120" {
		t.Errorf("try again in %s s", got)
	}
	if text := n.text(resp); !strings.Contains(text, "Please wait 2\u00a0min") {
		t.Error(text)
	}
	n.clock.pass(2 * time.Minute)
	n.status(http.StatusSeeOther, "POST", reportOf, form, "From", "[2001:db8::1]:1")
	for i := range 100 { // everybody reports the one port
		n.request("POST", reportOf, form, "From", fmt.Sprintf("192.0.2.%d:1", i+10))
	}
	perPort := make(map[string]int)
	for _, e := range n.reports() {
		perPort[e.Body.(*event.DriverReport).PublicID]++
	}
	if perPort["DE*CWD*E1*1"] != 6 {
		t.Errorf("kept %v", perPort)
	}
	for i := range 200 { // everybody reports everything
		n.request("POST", fmt.Sprintf("/status/p/DE*CWD*E%d*1/report", i%3+1), form, "From", fmt.Sprintf("198.51.100.%d:1", i))
	}
	if got := len(n.reports()); got > 60+24 {
		t.Errorf("kept %d in all", got)
	}
}

func TestAReportThatCannotBeStoredIsNotLostOnTheWriter(t *testing.T) {
	n := newNetwork(t)
	hamburg(n)
	n.live.broken.Store(true)
	for range 20 { // a failure is not held against the writer
		resp := n.status(http.StatusServiceUnavailable, "POST", reportOf, url.Values{"category": {"screen"}, "text": {"All dark"}})
		text := n.text(resp)
		if !strings.Contains(text, "could not be stored") || !strings.Contains(text, "All dark</textarea>") || !strings.Contains(text, `value="screen" required checked`) ||
			resp.Header.Get("Cache-Control") != "no-store" || resp.Header.Get("Retry-After") != "60" {
			t.Fatalf("%v %s", resp.Header, text)
		}
	}
	n.live.broken.Store(false)
	n.status(http.StatusSeeOther, "POST", reportOf, url.Values{"category": {"screen"}})
	if got := n.reports(); len(got) != 1 {
		t.Errorf("kept %d", len(got))
	}
}
