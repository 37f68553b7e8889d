package camera

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/chargewatch/chargewatch/internal/sim/camera/clips"
)

// Device is the ONVIF side of a farm: one HTTP server on which every camera has
// its services under its name.
type Device struct {
	f        *Farm
	o        DeviceOptions
	listener net.Listener
	server   *http.Server

	mu    sync.Mutex
	subs  map[string]*subscription
	state map[string]map[string]bool // what lasts, by camera
	last  int
}

// DeviceOptions configures a Device.
type DeviceOptions struct {
	Listen string
	// ClockOffset is how wrong the devices' clocks are.
	ClockOffset time.Duration
	// Digest asks for HTTP digest authentication in place of a token in the message.
	Digest bool
	// NoEvents leaves the events out, as simple cameras do.
	NoEvents bool
	// Grant is the longest subscription; 0: a minute.
	Grant time.Duration
	// Advertise is the host that devices say they have; empty: their own. Behind a
	// router it is a wrong one.
	Advertise string
}

// maxRequest bounds what is read of a request.
const maxRequest = 64 << 10

// NewDevice listens; Run serves.
func NewDevice(f *Farm, o DeviceOptions) (*Device, error) {
	if o.Grant <= 0 {
		o.Grant = time.Minute
	}
	l, err := net.Listen("tcp", o.Listen)
	if err != nil {
		return nil, fmt.Errorf("listen for ONVIF: %w", err)
	}
	d := &Device{f: f, o: o, listener: l, subs: make(map[string]*subscription), state: make(map[string]map[string]bool)}
	d.server = &http.Server{Handler: d, ReadHeaderTimeout: 5 * time.Second, IdleTimeout: time.Minute}
	f.observe(d.seen)
	return d, nil
}

// Address is where the devices listen.
func (d *Device) Address() netip.AddrPort {
	a, _ := d.listener.Addr().(*net.TCPAddr)
	if a == nil {
		return netip.AddrPort{}
	}
	return netip.AddrPortFrom(a.AddrPort().Addr().Unmap(), a.AddrPort().Port())
}

// URL is the address of a camera's device service.
func (d *Device) URL(name string) string {
	return "http://" + d.Address().String() + "/" + name + "/onvif/device_service"
}

// Run serves until ctx ends.
func (d *Device) Run(ctx context.Context) error {
	stop := context.AfterFunc(ctx, func() { _ = d.server.Close() })
	defer stop()
	if err := d.server.Serve(d.listener); err != nil && !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve ONVIF: %w", err)
	}
	return nil
}

// Close frees the address of a device that does not run.
func (d *Device) Close() { _ = d.listener.Close() } // it may be closed already

// Forget drops all subscriptions, as a device does that restarts.
func (d *Device) Forget() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for id, s := range d.subs {
		s.end()
		delete(d.subs, id)
	}
}

// Subscriptions counts who listens.
func (d *Device) Subscriptions() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.subs)
}

type envelope struct {
	Header struct {
		Security struct {
			UsernameToken struct {
				Username string
				Password string
				Nonce    string
				Created  string
			}
		}
	}
	Body struct {
		Content []byte `xml:",innerxml"`
	}
}

// ServeHTTP answers /NAME/onvif/SERVICE and /NAME/snapshot.jpg.
func (d *Device) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name, rest, _ := strings.Cut(strings.Trim(r.URL.Path, "/"), "/")
	if d.f.with(name, func(*cam) error { return nil }) != nil {
		http.NotFound(w, r)
		return
	}
	if rest == "snapshot.jpg" {
		d.snapshot(w, r, name)
		return
	}
	if r.Method != http.MethodPost || !strings.HasPrefix(rest, "onvif/") {
		http.NotFound(w, r)
		return
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxRequest))
	var e envelope
	if err == nil {
		err = xml.Unmarshal(body, &e)
	}
	var action struct {
		XMLName xml.Name
		request
	}
	if err == nil {
		err = xml.Unmarshal(e.Body.Content, &action)
	}
	if err != nil {
		d.fault(w, http.StatusBadRequest, "ter:WellFormed", "the message cannot be read")
		return
	}
	if action.XMLName.Local != "GetSystemDateAndTime" && !d.authorised(w, r, name, &e) {
		return
	}
	d.serve(w, r, name, rest, action.XMLName.Local, action.request)
}

// request is what actions may carry.
type request struct {
	ProfileToken           string
	InitialTerminationTime string
	TerminationTime        string
	Timeout                string
	MessageLimit           int
}

func (d *Device) serve(w http.ResponseWriter, r *http.Request, name, path, action string, q request) {
	host := d.o.Advertise
	if host == "" {
		host = d.Address().String()
	}
	base := "http://" + host + "/" + name
	switch action {
	case "GetSystemDateAndTime":
		t := time.Now().Add(d.o.ClockOffset).UTC()
		d.answer(w, fmt.Sprintf(`<tds:GetSystemDateAndTimeResponse><tds:SystemDateAndTime><tt:DateTimeType>NTP</tt:DateTimeType><tt:DaylightSavings>false</tt:DaylightSavings>`+
			`<tt:UTCDateTime><tt:Time><tt:Hour>%d</tt:Hour><tt:Minute>%d</tt:Minute><tt:Second>%d</tt:Second></tt:Time><tt:Date><tt:Year>%d</tt:Year><tt:Month>%d</tt:Month><tt:Day>%d</tt:Day></tt:Date></tt:UTCDateTime>`+
			`</tds:SystemDateAndTime></tds:GetSystemDateAndTimeResponse>`, t.Hour(), t.Minute(), t.Second(), t.Year(), t.Month(), t.Day()))
	case "GetDeviceInformation":
		d.answer(w, `<tds:GetDeviceInformationResponse><tds:Manufacturer>Chargewatch</tds:Manufacturer><tds:Model>Simulated camera</tds:Model>`+
			`<tds:FirmwareVersion>1.0</tds:FirmwareVersion><tds:SerialNumber>`+name+`</tds:SerialNumber><tds:HardwareId>1</tds:HardwareId></tds:GetDeviceInformationResponse>`)
	case "GetCapabilities":
		events := `<tt:Events><tt:XAddr>` + base + `/onvif/event_service</tt:XAddr><tt:WSPullPointSupport>true</tt:WSPullPointSupport></tt:Events>`
		if d.o.NoEvents {
			events = ""
		}
		d.answer(w, `<tds:GetCapabilitiesResponse><tds:Capabilities><tt:Device><tt:XAddr>`+base+`/onvif/device_service</tt:XAddr></tt:Device>`+
			events+`<tt:Media><tt:XAddr>`+base+`/onvif/media_service</tt:XAddr></tt:Media></tds:Capabilities></tds:GetCapabilitiesResponse>`)
	case "GetServices":
		list := [][2]string{{"http://www.onvif.org/ver10/device/wsdl", "device"}, {"http://www.onvif.org/ver10/media/wsdl", "media"}, {"http://www.onvif.org/ver10/events/wsdl", "event"}}
		if d.o.NoEvents {
			list = list[:2]
		}
		var b strings.Builder
		for _, s := range list {
			fmt.Fprintf(&b, `<tds:Service><tds:Namespace>%s</tds:Namespace><tds:XAddr>%s/onvif/%s_service</tds:XAddr><tds:Version><tt:Major>2</tt:Major><tt:Minor>40</tt:Minor></tds:Version></tds:Service>`, s[0], base, s[1])
		}
		d.answer(w, `<tds:GetServicesResponse>`+b.String()+`</tds:GetServicesResponse>`)
	case "GetVideoSources":
		d.answer(w, fmt.Sprintf(`<trt:GetVideoSourcesResponse><trt:VideoSources token="vs_1"><tt:Framerate>%d</tt:Framerate><tt:Resolution><tt:Width>848</tt:Width><tt:Height>480</tt:Height></tt:Resolution></trt:VideoSources></trt:GetVideoSourcesResponse>`, clips.MainRate))
	case "GetProfiles":
		d.answer(w, `<trt:GetProfilesResponse>`+profile("main", 848, 480, clips.MainRate)+profile("sub", 320, 180, clips.SubRate)+`</trt:GetProfilesResponse>`)
	case "GetStreamUri":
		stream := MainStream
		if strings.HasPrefix(q.ProfileToken, "sub") {
			stream = SubStream
		}
		d.answer(w, `<trt:GetStreamUriResponse><trt:MediaUri><tt:Uri>`+d.f.URL(name, stream)+`</tt:Uri><tt:InvalidAfterConnect>false</tt:InvalidAfterConnect><tt:Timeout>PT0S</tt:Timeout></trt:MediaUri></trt:GetStreamUriResponse>`)
	case "GetSnapshotUri":
		d.answer(w, `<trt:GetSnapshotUriResponse><trt:MediaUri><tt:Uri>`+base+`/snapshot.jpg</tt:Uri></trt:MediaUri></trt:GetSnapshotUriResponse>`)
	case "CreatePullPointSubscription", "PullMessages", "Renew", "Unsubscribe":
		if d.o.NoEvents {
			d.fault(w, http.StatusBadRequest, "ter:ActionNotSupported", "there are no events")
			return
		}
		d.events(w, r, name, base, path, action, q)
	default:
		d.fault(w, http.StatusBadRequest, "ter:ActionNotSupported", "not known: "+action)
	}
}

func profile(token string, w, h, rate int) string {
	return fmt.Sprintf(`<trt:Profiles token="%[1]s_profile" fixed="true"><tt:Name>%[1]s</tt:Name>`+
		`<tt:VideoSourceConfiguration token="vsc_1"><tt:Name>source</tt:Name><tt:UseCount>2</tt:UseCount><tt:SourceToken>vs_1</tt:SourceToken><tt:Bounds x="0" y="0" width="848" height="480"/></tt:VideoSourceConfiguration>`+
		`<tt:VideoEncoderConfiguration token="vec_%[1]s"><tt:Name>%[1]s</tt:Name><tt:UseCount>1</tt:UseCount><tt:Encoding>H264</tt:Encoding><tt:Resolution><tt:Width>%[2]d</tt:Width><tt:Height>%[3]d</tt:Height></tt:Resolution><tt:Quality>4</tt:Quality>`+
		`<tt:RateControl><tt:FrameRateLimit>%[4]d</tt:FrameRateLimit><tt:EncodingInterval>1</tt:EncodingInterval><tt:BitrateLimit>512</tt:BitrateLimit></tt:RateControl></tt:VideoEncoderConfiguration></trt:Profiles>`, token, w, h, rate)
}

// snapshot is a still of the place.
func (d *Device) snapshot(w http.ResponseWriter, r *http.Request, name string) {
	if !d.httpDigest(w, r, name) {
		return
	}
	var view string
	_ = d.f.with(name, func(c *cam) error { view = c.program.view; return nil })
	b, err := clips.Still(view)
	if err != nil {
		http.Error(w, "no picture", http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("Content-Type", "image/jpeg")
	_, _ = w.Write(b)
}

const soapHead = `<?xml version="1.0" encoding="UTF-8"?>` + "\n" + `<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:tds="http://www.onvif.org/ver10/device/wsdl" ` +
	`xmlns:trt="http://www.onvif.org/ver10/media/wsdl" xmlns:tev="http://www.onvif.org/ver10/events/wsdl" xmlns:tt="http://www.onvif.org/ver10/schema" xmlns:ter="http://www.onvif.org/ver10/error" ` +
	`xmlns:wsnt="http://docs.oasis-open.org/wsn/b-2" xmlns:wsa="http://www.w3.org/2005/08/addressing" xmlns:tns1="http://www.onvif.org/ver10/topics"><s:Body>`

func (d *Device) answer(w http.ResponseWriter, body string) {
	w.Header().Set("Content-Type", "application/soap+xml; charset=utf-8")
	_, _ = io.WriteString(w, soapHead+body+`</s:Body></s:Envelope>`)
}

func (d *Device) fault(w http.ResponseWriter, status int, subcode, reason string) {
	w.Header().Set("Content-Type", "application/soap+xml; charset=utf-8")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, soapHead+`<s:Fault><s:Code><s:Value>s:Sender</s:Value><s:Subcode><s:Value>`+subcode+`</s:Value></s:Subcode></s:Code><s:Reason><s:Text xml:lang="en">`+reason+`</s:Text></s:Reason></s:Fault></s:Body></s:Envelope>`)
}
