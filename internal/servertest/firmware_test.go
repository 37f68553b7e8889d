package servertest_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	ocpp16 "github.com/lorenzodonini/ocpp-go/ocpp1.6"
	"github.com/lorenzodonini/ocpp-go/ocpp1.6/core"
	fw16 "github.com/lorenzodonini/ocpp-go/ocpp1.6/firmware"
	ocpp201 "github.com/lorenzodonini/ocpp-go/ocpp2.0.1"
	"github.com/lorenzodonini/ocpp-go/ocpp2.0.1/diagnostics"
	"github.com/lorenzodonini/ocpp-go/ocpp2.0.1/firmware"
	"github.com/lorenzodonini/ocpp-go/ocpp2.0.1/provisioning"
	"github.com/lorenzodonini/ocpp-go/ws"

	"github.com/chargewatch/chargewatch/internal/servertest"
	"github.com/chargewatch/chargewatch/internal/sim"
	"github.com/chargewatch/chargewatch/internal/store"
	"github.com/chargewatch/chargewatch/internal/web"
)

// image puts firmware into the library.
func (d desk) image(data []byte, query string) web.FirmwareImageShape {
	d.t.Helper()
	var out web.FirmwareImageShape
	d.do(http.MethodPost, "/firmware/images?"+query, data, http.StatusCreated, &out)
	return out
}

// simImage is firmware for simulated stations, of some size.
func simImage(t *testing.T, version string, failsAt ...string) []byte {
	t.Helper()
	head, err := json.Marshal(sim.Image{Version: version, FailsAt: failsAt})
	if err != nil {
		t.Fatal(err)
	}
	return append(append(head, '\n'), bytes.Repeat([]byte("firmware"), 16<<10)...)
}

// putFile puts a file as a station does.
func putFile(t *testing.T, location, text string) {
	t.Helper()
	r, err := http.NewRequest(http.MethodPut, location, strings.NewReader(text))
	if err != nil {
		t.Error(err)
		return
	}
	a, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Error(err)
		return
	}
	a.Body.Close()
	if a.StatusCode/100 != 2 {
		t.Errorf("%s for a file", a.Status)
	}
}

// fetchFile gets a file in two parts, as a station that was cut off.
func fetchFile(t *testing.T, location string) (all []byte) {
	t.Helper()
	for _, part := range []string{"bytes=0-9", "bytes=10-"} {
		r, err := http.NewRequest(http.MethodGet, location, nil)
		if err != nil {
			t.Error(err)
			return nil
		}
		r.Header.Set("Range", part)
		a, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Error(err)
			return nil
		}
		data, err := io.ReadAll(a.Body)
		a.Body.Close()
		if err != nil || a.StatusCode != http.StatusPartialContent {
			t.Errorf("%s %v for firmware", a.Status, err)
		}
		all = append(all, data...)
	}
	return all
}

// files16 is a charge point of ocpp-go with files. What it does goes on after it
// answered.
type files16 struct {
	point16
	located chan string
}

func (p *files16) OnGetDiagnostics(r *fw16.GetDiagnosticsRequest) (*fw16.GetDiagnosticsConfirmation, error) {
	p.located <- r.Location
	c := fw16.NewGetDiagnosticsConfirmation()
	c.FileName = "diag.txt"
	return c, nil
}

func (p *files16) OnUpdateFirmware(r *fw16.UpdateFirmwareRequest) (*fw16.UpdateFirmwareConfirmation, error) {
	p.located <- r.Location
	return fw16.NewUpdateFirmwareConfirmation(), nil
}

// files201 is a charging station of ocpp-go with files.
type files201 struct {
	diagnostics.ChargingStationHandler // it is asked for logs only
	logs                               chan *diagnostics.GetLogRequest
	firmware                           chan *firmware.UpdateFirmwareRequest
}

func (p *files201) OnGetLog(r *diagnostics.GetLogRequest) (*diagnostics.GetLogResponse, error) {
	p.logs <- r
	return diagnostics.NewGetLogResponse(diagnostics.LogStatusAccepted), nil
}

func (p *files201) OnPublishFirmware(*firmware.PublishFirmwareRequest) (*firmware.PublishFirmwareResponse, error) {
	return nil, errors.New("not asked for")
}

func (p *files201) OnUnpublishFirmware(*firmware.UnpublishFirmwareRequest) (*firmware.UnpublishFirmwareResponse, error) {
	return nil, errors.New("not asked for")
}

func (p *files201) OnUpdateFirmware(r *firmware.UpdateFirmwareRequest) (*firmware.UpdateFirmwareResponse, error) {
	p.firmware <- r
	return firmware.NewUpdateFirmwareResponse(firmware.UpdateFirmwareStatusAccepted), nil
}

// Foreign stations of both versions send their diagnostics and are updated; who says
// that it uploaded and did not, and who runs another version, is not believed.
func TestStationsOfOthersMoveFiles(t *testing.T) {
	t.Parallel()
	s := servertest.Start(t)
	s.Enrol(t, "OLD", "NEW")
	admin := deskOf(t, s, store.RoleAdmin)
	p := &files16{located: make(chan string, 1)}
	old := ocpp16.NewChargePoint("OLD", nil, ws.NewClient())
	old.SetCoreHandler(p)
	old.SetFirmwareManagementHandler(p)
	connect(t, s, old)
	q := &files201{logs: make(chan *diagnostics.GetLogRequest, 1), firmware: make(chan *firmware.UpdateFirmwareRequest, 1)}
	newer := ocpp201.NewChargingStation("NEW", nil, ws.NewClient())
	newer.SetDiagnosticsHandler(q)
	newer.SetFirmwareHandler(q)
	connect(t, s, newer)
	boot16 := func(version string) {
		t.Helper()
		if _, err := old.BootNotification("Post", "Maker", func(r *core.BootNotificationRequest) { r.FirmwareVersion = version }); err != nil {
			t.Fatal(err)
		}
	}
	boot201 := func(version string) {
		t.Helper()
		if _, err := newer.BootNotification(provisioning.BootReasonFirmwareUpdate, "Post", "Maker", func(r *provisioning.BootNotificationRequest) { r.ChargingStation.FirmwareVersion = version }); err != nil {
			t.Fatal(err)
		}
	}
	boot16("1.0")
	boot201("1.0")

	admin.do(http.MethodPost, "/stations/OLD/files", `{"kind":"diagnostics","from":"2026-11-01T00:00:00Z"}`, http.StatusAccepted, nil)
	admin.do(http.MethodPost, "/stations/OLD/files", `{"kind":"diagnostics"}`, http.StatusConflict, nil)
	putFile(t, <-p.located+"diag.txt", "what happened")
	if got := admin.settled("OLD", "received"); got.File.Name != "diag.txt" || got.File.Bytes != 13 || got.Action != "GetDiagnostics" {
		t.Errorf("%+v", got)
	}
	if _, err := old.DiagnosticsStatusNotification(fw16.DiagnosticsStatusUploadFailed); err != nil { // it is here all the same
		t.Fatal(err)
	}
	admin.settled("OLD", "received")

	admin.do(http.MethodPost, "/stations/NEW/files", `{"kind":"securityLog"}`, http.StatusAccepted, nil)
	admin.do(http.MethodPost, "/stations/NEW/files", `{"kind":"securityLog"}`, http.StatusConflict, nil)
	log := <-q.logs
	if log.LogType != diagnostics.LogTypeSecurity {
		t.Errorf("asked for %s", log.LogType)
	}
	if _, err := newer.LogStatusNotification(diagnostics.UploadLogStatusUploading, log.RequestID); err != nil {
		t.Fatal(err)
	}
	admin.settled("NEW", "uploading")
	if _, err := newer.LogStatusNotification(diagnostics.UploadLogStatusUploaded, log.RequestID); err != nil {
		t.Fatal(err)
	}
	admin.settled("NEW", "claimed") // nothing came yet
	putFile(t, log.Log.RemoteLocation, "who tried to get in")
	admin.settled("NEW", "received")

	text := []byte("firmware of Maker, version 2.0")
	x := admin.image(text, "name=post.bin&version=2.0&vendor=maker&model=Po")
	other := admin.image(text, "name=post.bin&version=2.0&model=Wall")
	admin.do(http.MethodPost, "/stations/OLD/firmware", `{"imageId":"`+other.ID+`"}`, http.StatusUnprocessableEntity, nil)
	admin.do(http.MethodPost, "/stations/OLD/firmware", `{"imageId":"`+x.ID+`"}`, http.StatusAccepted, nil)
	admin.do(http.MethodDelete, "/firmware/images/"+x.ID, nil, http.StatusConflict, nil)
	if got := fetchFile(t, <-p.located); !bytes.Equal(got, text) {
		t.Errorf("fetched %q", got)
	}
	for _, status := range []fw16.FirmwareStatus{fw16.FirmwareStatusDownloading, fw16.FirmwareStatusDownloaded, fw16.FirmwareStatusInstalling, fw16.FirmwareStatusInstalled} {
		if _, err := old.FirmwareStatusNotification(status); err != nil {
			t.Fatal(err)
		}
	}
	admin.settled("OLD", "installed")
	boot16("2.0")
	if got := admin.settled("OLD", "updated"); got.Update.Before != "1.0" || got.Update.FetchedBytes != int64(len(text)) {
		t.Errorf("%+v", got)
	}

	signature, certificate := signed(t, text)
	admin.do(http.MethodPut, "/firmware/images/"+x.ID+"/signature", mustJSON(t, map[string]string{"signature": base64.StdEncoding.EncodeToString([]byte("wrong")), "certificate": certificate}), http.StatusUnprocessableEntity, nil)
	admin.do(http.MethodPut, "/firmware/images/"+x.ID+"/signature", mustJSON(t, map[string]string{"signature": signature, "certificate": certificate}), http.StatusOK, nil)
	admin.do(http.MethodPost, "/stations/NEW/firmware", `{"imageId":"`+x.ID+`"}`, http.StatusAccepted, nil)
	update := <-q.firmware
	if update.Firmware.Signature != signature || update.Firmware.SigningCertificate != certificate {
		t.Error("the signature did not go along")
	}
	if got := fetchFile(t, update.Firmware.Location); !bytes.Equal(got, text) {
		t.Errorf("fetched %q", got)
	}
	if _, err := newer.FirmwareStatusNotification(firmware.FirmwareStatusInstalled, func(r *firmware.FirmwareStatusNotificationRequest) { r.RequestID = &update.RequestID }); err != nil {
		t.Fatal(err)
	}
	admin.settled("NEW", "installed")
	boot201("1.9")
	if got := admin.settled("NEW", "claimedNotUpdated"); !strings.Contains(got.Detail, "1.9") {
		t.Errorf("%+v", got)
	}
}

func mustJSON(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// signed signs firmware as a maker does.
func signed(t *testing.T, data []byte) (signature, certificate string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Maker"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(data)
	raw, err := ecdsa.SignASN1(rand.Reader, key, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	return base64.StdEncoding.EncodeToString(raw), string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

// A hundred stations are to be updated. An image that one of the first cannot install
// touches nobody else; a good one comes to all.
func TestAFirmwareCampaign(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	s := servertest.In(t, folder)
	const n = 100
	plan := sim.Park(n, sim.V16, "FW-", 11)
	for i := range plan.Stations {
		x := &plan.Stations[i]
		x.Version = []sim.Version{sim.V16, sim.V201, sim.V21}[i%3]
		x.Quirks, x.Model.Quirks = 0, 0
		s.Enrol(t, x.ID)
	}
	admin := deskOf(t, s, store.RoleAdmin)
	simulated(t, s, plan, 60)

	var bad []string
	for i, x := range plan.Stations {
		if i%2 == 0 {
			bad = append(bad, x.ID)
		}
	}
	name := url.QueryEscape("Bad one")
	poor := admin.image(simImage(t, "9.9.8", bad...), "version=9.9.8&notes="+name)
	start := func(image string) web.CampaignShape {
		t.Helper()
		var c web.CampaignShape
		admin.do(http.MethodPost, "/campaigns", `{"kind":"firmware","params":{"imageId":"`+image+`"},"cohort":{"everything":true},"canary":{"count":6},
			"pace":{"perMinute":6000,"atOnce":30,"perSite":30},"stopOn":{"failed":1},"whenIdle":true}`, http.StatusCreated, &c)
		return c
	}
	over := func(id string) (c web.CampaignShape) {
		t.Helper()
		for range 900 {
			admin.do(http.MethodGet, "/campaigns/"+id, nil, http.StatusOK, &c)
			if c.State == store.CampaignStopped && c.Counts.Working == 0 || c.State == store.CampaignFinished {
				return c
			}
			time.Sleep(100 * time.Millisecond)
		}
		var list web.Items[web.CampaignStationShape]
		admin.do(http.MethodGet, "/campaigns/"+id+"/stations?state=working", nil, http.StatusOK, &list)
		for _, x := range list.Items {
			t.Logf("%+v: %+v, %s", x, admin.files(x.Station)[0], mustJSON(t, s.Station(t, x.Station)))
		}
		t.Fatalf("the campaign goes on: %+v", c.Counts)
		return c
	}
	c := over(start(poor.ID).ID)
	if c.State != store.CampaignStopped || c.Why == nil || c.Why.Code != "canaryFailed" || c.Why.Result != "InstallationFailed" {
		t.Fatalf("%s, %+v", c.State, c.Why)
	}
	if tried := c.Counts.Done + c.Counts.Failed; tried > 6 || c.Counts.Failed == 0 || tried+c.Counts.Skipped != n {
		t.Errorf("%+v", c.Counts)
	}
	touched := 0
	for _, x := range plan.Stations {
		asked := func(f web.StationFileShape) bool { return f.State != "offline" } // gone just then: another went first
		if slices.ContainsFunc(admin.files(x.ID), asked) {
			touched++
		}
	}
	if touched > 6 {
		t.Errorf("%d stations were asked, 6 go first", touched)
	}

	good := admin.image(simImage(t, "9.9.9"), "version=9.9.9")
	if c = over(start(good.ID).ID); c.State != store.CampaignFinished || c.Counts.Done != n {
		t.Fatalf("%s, %+v, %+v", c.State, c.Counts, c.Codes)
	}
	for _, x := range plan.Stations {
		if v := s.Station(t, x.ID).Firmware; v != "9.9.9" {
			t.Errorf("%s runs %s", x.ID, v)
		}
		asked := slices.DeleteFunc(admin.files(x.ID), func(f web.StationFileShape) bool {
			return f.Update.ImageID != good.ID || f.State == "offline" // gone just then, and asked again
		})
		if len(asked) != 1 || asked[0].State != "updated" || asked[0].Update.CampaignID != c.ID {
			t.Errorf("%s: %s", x.ID, fmt.Sprint(asked))
		}
	}
}
