package web

import (
	"bytes"
	"encoding/json"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"net/http"
	"strings"
	"testing"

	"github.com/chargewatch/chargewatch/internal/picture"
	"github.com/chargewatch/chargewatch/internal/store"
)

// shotOf is a photo of one colour.
func shotOf(t *testing.T, w, h int, c color.Color) []byte {
	t.Helper()
	m := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			m.Set(x, y, c)
		}
	}
	var out bytes.Buffer
	if err := png.Encode(&out, m); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// send sends bytes as they are.
func (c *caller) send(path string, data []byte) (int, string) {
	c.t.Helper()
	before := c.header
	c.header = http.Header{"Content-Type": {"application/octet-stream"}}
	defer func() { c.header = before }()
	return c.do("POST", path, string(data))
}

func TestPhotosOfAWorkOrder(t *testing.T) {
	n := newTwo(t)
	operator := n.script(store.RoleOperator, own)
	tess, tech := n.person("Tess", store.RoleTechnician, own)
	_, theo := n.person("Theo", store.RoleTechnician, own)
	path := "/workorders/" + n.order[own]
	red := shotOf(t, 3000, 1500, color.RGBA{200, 0, 0, 255})

	if got, _ := tech.send(path+"/photos", red); got != http.StatusForbidden {
		t.Errorf("to an order of nobody: %d", got)
	}
	operator.want(http.StatusOK, "PATCH", path, `{"assignee":"`+tess.ID+`"}`, nil)
	var p, again OrderPhotoShape
	status, text := tech.send(path+"/photos", red)
	if err := json.Unmarshal([]byte(text), &p); err != nil || status != http.StatusCreated || p.By != tess.ID || p.Width != 2048 || p.Height != 1024 || !p.Deletable {
		t.Fatalf("%d %s: %v", status, text, err)
	}
	// The answer was lost in the garage, so the phone sends it again.
	status, text = tech.send(path+"/photos", red)
	if err := json.Unmarshal([]byte(text), &again); err != nil || status != http.StatusCreated || again.ID != p.ID {
		t.Errorf("sent again: %d %s", status, text)
	}
	var w WorkOrderDetail
	tech.get(path, &w)
	if w.Photos != 2 || len(w.PhotoList) != 2 || w.PhotoList[1].ID != p.ID || w.PhotoList[0].Deletable || w.People[tess.ID] != "Tess" {
		t.Errorf("of the order: %+v", w.PhotoList)
	}

	for query, want := range map[string]image.Point{"": {2048, 1024}, "?size=small": {400, 200}} {
		r, err := http.NewRequestWithContext(t.Context(), "GET", n.url+base+path+"/photos/"+p.ID+query, nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := tech.http.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		m, err := jpeg.Decode(resp.Body)
		resp.Body.Close()
		if err != nil || m.Bounds().Size() != want {
			t.Fatalf("%q: %v", query, err)
		}
		h := resp.Header
		if h.Get("Content-Type") != "image/jpeg" || h.Get("X-Content-Type-Options") != "nosniff" || !strings.Contains(h.Get("Content-Security-Policy"), "sandbox") ||
			!strings.HasPrefix(h.Get("Cache-Control"), "private") {
			t.Errorf("%q: %v", query, h)
		}
	}

	for name, tt := range map[string]struct {
		data []byte
		want int
	}{
		"nothing":                {nil, 400},
		"a page":                 {[]byte("<html><script>alert(1)</script>"), 422},
		"half a photo":           {red[:len(red)/2], 422},
		"more than is taken":     {make([]byte, picture.MaxBytes+1), 413},
		"much more than is read": {make([]byte, picture.MaxBytes+2), 413},
	} {
		if got, text := tech.send(path+"/photos", tt.data); got != tt.want {
			t.Errorf("%s: %d %s", name, got, text)
		}
	}

	foreignPhoto := base + "/workorders/" + n.order[own] + "/photos/" + n.photo[foreign]
	for _, tt := range []struct {
		name         string
		c            *caller
		method, path string
		want         int
	}{
		{"of another order under ours", operator, "GET", foreignPhoto, 404},
		{"deleting of another order", operator, "DELETE", foreignPhoto, 404},
		{"a name that leads out", operator, "GET", path + "/photos/..%2F..%2Fcore.db", 404},
		{"a colleague deletes", theo, "DELETE", path + "/photos/" + p.ID, 403},
		{"a technician deletes another's", tech, "DELETE", path + "/photos/" + n.photo[own], 403},
		{"who took it deletes", tech, "DELETE", path + "/photos/" + p.ID, 204},
		{"it is gone", tech, "GET", path + "/photos/" + p.ID, 404},
		{"it stays gone", tech, "DELETE", path + "/photos/" + p.ID, 404},
		{"who assigns deletes any", operator, "DELETE", path + "/photos/" + n.photo[own], 204},
	} {
		if got, text := tt.c.do(tt.method, tt.path, ""); got != tt.want {
			t.Errorf("%s: %d, want %d: %s", tt.name, got, tt.want, text)
		}
	}
	if _, err := n.o.Photos.Open(p.ID, false); err == nil {
		t.Error("its file is still there")
	}

	tech.want(http.StatusOK, "POST", path+"/done", `{"proof":"override","reason":"for a test"}`, nil)
	if got, _ := tech.send(path+"/photos", red); got != http.StatusConflict {
		t.Errorf("to a closed order: %d", got)
	}
}

type fullDisk struct{ Photos }

func (fullDisk) Put(string, *picture.Photo) error { return ErrNoRoom }

func TestAFullDiskTakesNoPhotos(t *testing.T) {
	n := newTwo(t)
	n.o.Photos = fullDisk{n.o.Photos}
	path := "/workorders/" + n.order[own] + "/photos"
	if got, text := n.script(store.RoleOperator, own).send(path, shotOf(t, 8, 8, color.White)); got != http.StatusInsufficientStorage {
		t.Errorf("%d %s", got, text)
	}
	left, err := n.store.UnfinishedPhotos(t.Context())
	if err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}
