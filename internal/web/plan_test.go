package web

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"net/http"
	"strings"
	"testing"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/store"
)

func drawing(width, height int) *image.NRGBA {
	m := image.NewNRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			m.SetNRGBA(x, y, color.NRGBA{uint8(x), uint8(y), 40, 255})
		}
	}
	return m
}

func asPNG(tb testing.TB, m image.Image) []byte {
	tb.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

func asJPEG(tb testing.TB, m image.Image) []byte {
	tb.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, m, nil); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

// hugePNG says that it is large and holds nothing.
func hugePNG(width, height uint32) []byte {
	head := binary.BigEndian.AppendUint32(nil, width)
	head = append(binary.BigEndian.AppendUint32(head, height), 8, 2, 0, 0, 0)
	chunk := append([]byte("IHDR"), head...)
	out := append([]byte("\x89PNG\r\n\x1a\n"), 0, 0, 0, 13)
	out = append(out, chunk...)
	return binary.BigEndian.AppendUint32(out, crc32.ChecksumIEEE(chunk))
}

// withPlace is a JPEG that tells where it was taken.
func withPlace(tb testing.TB) []byte {
	plain := asJPEG(tb, drawing(40, 30))
	exif := append([]byte("Exif\x00\x00"), "GPS 53.5428 9.9930"...)
	segment := append([]byte{0xff, 0xe1}, binary.BigEndian.AppendUint16(nil, uint16(len(exif)+2))...)
	out := append([]byte{}, plain[:2]...)
	out = append(append(out, segment...), exif...)
	return append(out, plain[2:]...)
}

func TestPlanPicturesAreCheckedAndEncodedAnew(t *testing.T) {
	deep := image.NewNRGBA64(image.Rect(0, 0, 20, 10))
	for name, tc := range map[string]struct {
		data   []byte
		kind   string
		width  int
		height int
		err    error
	}{
		"a drawing":                       {data: asPNG(t, drawing(120, 80)), kind: "image/png", width: 120, height: 80},
		"a photo":                         {data: asJPEG(t, drawing(120, 80)), kind: "image/jpeg", width: 120, height: 80},
		"a photo that tells its place":    {data: withPlace(t), kind: "image/jpeg", width: 40, height: 30},
		"a drawing with a script behind":  {data: append(asPNG(t, drawing(9, 9)), "<script>alert(1)</script>"...), kind: "image/png", width: 9, height: 9},
		"a drawing of 16 bits a channel":  {data: asPNG(t, deep), kind: "image/png", width: 20, height: 10},
		"nothing":                         {data: nil, err: errPlanKind},
		"text":                            {data: []byte("hello"), err: errPlanKind},
		"a vector drawing":                {data: []byte(`<svg xmlns="http://www.w3.org/2000/svg" onload="x()"/>`), err: errPlanKind},
		"a moving picture":                {data: []byte("GIF89a............"), err: errPlanKind},
		"half a drawing":                  {data: asPNG(t, drawing(60, 60))[:80], err: errPlanBad},
		"half a photo":                    {data: asJPEG(t, drawing(60, 60))[:80], err: errPlanBad},
		"more pixels than memory is for":  {data: hugePNG(12_000, 11_000), err: errPlanSize},
		"a line as long as a street":      {data: hugePNG(60_000, 1), err: errPlanSize},
		"a name of PNG and a body of not": {data: []byte("\x89PNG\r\n\x1a\n<svg/>"), err: errPlanBad},
		"more bytes than allowed":         {data: make([]byte, maxPlanBytes+1), err: errPlanBig},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := readPlan(tc.data)
			if !errors.Is(err, tc.err) {
				t.Fatalf("%v, want %v", err, tc.err)
			}
			if err != nil {
				return
			}
			if got.kind != tc.kind || got.width != tc.width || got.height != tc.height {
				t.Errorf("%s of %d x %d", got.kind, got.width, got.height)
			}
			if bytes.Contains(got.data, []byte("GPS")) || bytes.Contains(got.data, []byte("<script")) {
				t.Error("what stood beside the pixels was kept")
			}
			again, _, err := image.DecodeConfig(bytes.NewReader(got.data))
			if err != nil || again.Width != tc.width || again.Height != tc.height {
				t.Errorf("what is kept reads as %+v, %v", again, err)
			}
		})
	}
}

func FuzzPlanPictures(f *testing.F) {
	f.Add(asPNG(f, drawing(16, 9)))
	f.Add(asJPEG(f, drawing(16, 9)))
	f.Add(withPlace(f))
	f.Add(hugePNG(100_000, 100_000))
	f.Add([]byte("\xff\xd8\xff\xe0"))
	f.Fuzz(func(t *testing.T, data []byte) {
		// Large ones are true to their header and only cost time here.
		if c, _, err := image.DecodeConfig(bytes.NewReader(data)); err == nil && c.Width*c.Height > 1<<20 && c.Width*c.Height <= maxPlanPixels {
			return
		}
		got, err := readPlan(data)
		if err != nil {
			return
		}
		m, kind, err := image.Decode(bytes.NewReader(got.data))
		if err != nil || "image/"+kind != got.kind {
			t.Fatalf("what is kept cannot be read: %v", err)
		}
		if b := m.Bounds(); b.Dx() != got.width || b.Dy() != got.height || b.Dx()*b.Dy() > maxPlanPixels {
			t.Fatalf("kept %v, said %d x %d", b, got.width, got.height)
		}
	})
}

func TestPlanOfASite(t *testing.T) {
	p := newPlant(t)
	p.site("a")
	p.site("b")
	p.enrol("a", "A1", event.EVSELayout{EVSE: 1})
	p.enrol("b", "B1", event.EVSELayout{EVSE: 1})
	admin, viewer := p.script(store.RoleAdmin), p.script(store.RoleViewer)

	if status, _ := viewer.do("GET", "/sites/a/plan", ""); status != http.StatusNotFound {
		t.Errorf("before there is one: %d", status)
	}
	picture := asPNG(t, drawing(200, 100))
	send := func(c *caller, data []byte) (int, string) {
		r, err := http.NewRequestWithContext(context.Background(), http.MethodPut, c.url+base+"/sites/a/plan", bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+c.token)
		r.Header.Set("Content-Type", "image/png")
		resp, err := c.http.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		var b bytes.Buffer
		if _, err := b.ReadFrom(resp.Body); err != nil {
			t.Fatal(err)
		}
		return resp.StatusCode, b.String()
	}
	if status, text := send(viewer, picture); status != http.StatusForbidden {
		t.Errorf("a viewer: %d %s", status, text)
	}
	if status, text := send(admin, []byte("<svg/>")); status != http.StatusUnprocessableEntity || !strings.Contains(text, "PNG and JPEG") {
		t.Errorf("a vector drawing: %d %s", status, text)
	}
	if status, text := send(admin, make([]byte, maxPlanBytes+100)); status != http.StatusRequestEntityTooLarge {
		t.Errorf("too large: %d %s", status, text)
	}
	if status, text := send(admin, picture); status != http.StatusOK || !strings.Contains(text, `"width":200`) {
		t.Fatalf("%d %s", status, text)
	}
	var x SiteShape
	viewer.get("/sites/a", &x)
	if x.Plan == nil || x.Plan.Width != 200 || x.Plan.Height != 100 || x.Plan.Digest == "" {
		t.Errorf("the site says %+v", x.Plan)
	}

	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, p.url+base+"/sites/a/plan", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+viewer.token)
	resp, err := viewer.http.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	h := resp.Header
	if h.Get("Content-Type") != "image/png" || h.Get("X-Content-Type-Options") != "nosniff" || !strings.Contains(h.Get("Content-Security-Policy"), "sandbox") {
		t.Errorf("headers %v", h)
	}
	if _, err := png.Decode(resp.Body); err != nil {
		t.Error(err)
	}
	r.Header.Set("If-None-Match", h.Get("ETag"))
	if resp, err = viewer.http.Do(r); err != nil || resp.StatusCode != http.StatusNotModified {
		t.Errorf("known already: %v %v", resp.StatusCode, err)
	}
	resp.Body.Close()

	var pins Items[PinShape]
	admin.want(http.StatusOK, "PUT", "/sites/a/plan/pins", `{"items":[{"station":"A1","x":0.25,"y":1}]}`, &pins)
	if len(pins.Items) != 1 || pins.Items[0].X != 0.25 {
		t.Errorf("pins %+v", pins)
	}
	for name, body := range map[string]string{
		"a station of another site": `{"items":[{"station":"B1","x":0,"y":0}]}`,
		"nobody's":                  `{"items":[{"station":"NO","x":0,"y":0}]}`,
		"the same twice":            `{"items":[{"station":"A1","x":0,"y":0},{"station":"A1","x":1,"y":0}]}`,
		"beside the plan":           `{"items":[{"station":"A1","x":1.2,"y":0}]}`,
	} {
		if status, text := admin.do("PUT", "/sites/a/plan/pins", body); status != http.StatusUnprocessableEntity {
			t.Errorf("%s: %d %s", name, status, text)
		}
	}
	admin.want(http.StatusOK, "PATCH", "/stations/A1", `{"siteId":"b"}`, nil)
	viewer.get("/sites/a/plan/pins", &pins)
	if len(pins.Items) != 0 {
		t.Errorf("a station that went elsewhere still stands here: %+v", pins)
	}
	admin.want(http.StatusNoContent, "DELETE", "/sites/a/plan", "", nil)
	x = SiteShape{}
	viewer.get("/sites/a", &x)
	if x.Plan != nil {
		t.Errorf("after it was removed: %+v", x.Plan)
	}
}

func TestMapStyleOpensThePolicyForItsOriginOnly(t *testing.T) {
	p := newPlant(t)
	admin := p.script(store.RoleAdmin)
	policy := func() string {
		resp, err := http.Get(p.url + "/healthz")
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		return resp.Header.Get("Content-Security-Policy")
	}
	if policy() != uiPolicy {
		t.Errorf("at first: %s", policy())
	}
	for name, style := range map[string]string{
		"no address": "streets", "a script": "javascript:alert(1)", "a secret": "https://me:pass@tiles.example/s.json",
		"a host that is a rule": "https://*/s.json", "two rules": "https://a;script-src b/s.json", "no host": "https:///s.json",
	} {
		if status, text := admin.do("PATCH", "/settings/map", `{"styleUrl":"`+style+`"}`); status != http.StatusUnprocessableEntity {
			t.Errorf("%s: %d %s", name, status, text)
		}
	}
	var got MapSettings
	admin.want(http.StatusOK, "PATCH", "/settings/map", `{"styleUrl":"https://tiles.example:8443/style.json?key=1"}`, &got)
	with := policy()
	if got.StyleURL == "" || !strings.Contains(with, "connect-src 'self' https://tiles.example:8443;") ||
		!strings.Contains(with, "img-src 'self' https://tiles.example:8443 data:") || strings.Contains(with, "style.json") ||
		!strings.Contains(with, "script-src 'self';") {
		t.Errorf("with a style: %s", with)
	}
	o := p.o
	o.Metrics = nil
	if again := New(o); again.policy() != with {
		t.Errorf("after a restart: %s", again.policy())
	}
	if status, _ := p.script(store.RoleOperator).do("PATCH", "/settings/map", `{"styleUrl":""}`); status != http.StatusForbidden {
		t.Errorf("an operator changes it: %d", status)
	}
	admin.want(http.StatusOK, "PATCH", "/settings/map", `{"styleUrl":""}`, nil)
	if policy() != uiPolicy {
		t.Errorf("without one again: %s", policy())
	}
}
