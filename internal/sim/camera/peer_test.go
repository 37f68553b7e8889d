package camera_test

import (
	"context"
	"encoding/json"
	"os/exec"
	"strconv"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/sim/camera"
)

// script lets the client of the npm package onvif do what others do with a camera.
// "npm ci" in test/schemas installs it; make test does that.
const script = `
const {Cam} = require('onvif')
const [hostname, port, path, username, password] = process.argv.slice(1)
const out = {motion: 0}
const done = () => { console.log(JSON.stringify(out)); process.exit(0) }
const cam = new Cam({hostname, port, path, username, password, timeout: 20000, preserveAddress: true}, function (err) {
  if (err) { out.error = String(err); return done() }
  out.profiles = cam.profiles.map((p) => p.$.token)
  out.width = cam.profiles[0].videoEncoderConfiguration.resolution.width
  cam.getDeviceInformation((err, d) => { out.vendor = d && d.manufacturer
    cam.getStreamUri({protocol: 'RTSP', profileToken: cam.profiles[1].$.token}, (err, s) => { out.stream = s && s.uri
      cam.on('event', (e) => {
        if (/CellMotionDetector/.test(e.topic._)) { out.motion++; cam.removeAllListeners('event'); setTimeout(done, 50) }
      })
    })
  })
})
`

func TestAClientOfOthersUnderstandsTheSimulatedDevice(t *testing.T) {
	f := farm(t, camera.Options{User: "viewer", Password: "secret"}, camera.Spec{Scene: "quiet"})
	d, err := camera.NewDevice(f, camera.DeviceOptions{Listen: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- d.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	limit, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	a := d.Address()
	cmd := exec.CommandContext(limit, "node", "-e", script, a.Addr().String(), strconv.Itoa(int(a.Port())), "/gate/onvif/device_service", "viewer", "secret")
	cmd.Dir = "../../../test/schemas"
	text, err := cmd.Output()
	if err != nil {
		t.Fatalf("make test installs the client, or npm ci in test/schemas: %v", err)
	}
	var got struct {
		Error, Vendor, Stream string
		Profiles              []string
		Width, Motion         int
	}
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	if got.Error != "" || got.Vendor != "Chargewatch" || got.Stream != f.URL("gate", camera.SubStream) || len(got.Profiles) != 2 || got.Width != 848 || got.Motion == 0 {
		t.Errorf("%s", text)
	}
}
