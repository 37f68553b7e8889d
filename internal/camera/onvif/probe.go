package onvif

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Found is what a device says of itself.
type Found struct {
	Vendor, Model, Firmware, Serial string
	// ClockOffset is how far its clock is ahead of ours.
	ClockOffset time.Duration
	Profiles    []Profile
	// Events is whether it offers what it sees.
	Events bool
}

// Profile is one of a device's streams.
type Profile struct {
	Token, Name, Codec string
	Width, Height      int
	FPS                float64
	// StreamURL is where it is, without credentials; empty if the device names none or
	// one that may not be reached: Refused says why.
	StreamURL   string
	SnapshotURL string
	Refused     string

	// Source is what its events name it by.
	sourceConfiguration, source string
}

// maxProfiles bounds what is asked of one device.
const maxProfiles = 16

// probeFor bounds a whole probe.
const probeFor = 30 * time.Second

// Probe asks a device what it is and where its streams are.
func (c *Client) Probe(ctx context.Context, d Device) (Found, error) {
	ctx, cancel := context.WithTimeout(ctx, probeFor)
	defer cancel()
	s, err := c.open(ctx, d)
	if err != nil {
		return Found{}, err
	}
	f := Found{ClockOffset: s.offset}
	if info, err := s.ask(ctx, s.home, `<GetDeviceInformation xmlns="http://www.onvif.org/ver10/device/wsdl"/>`); err == nil {
		f.Vendor, f.Model = clean(info.child("Manufacturer").value()), clean(info.child("Model").value())
		f.Firmware, f.Serial = clean(info.child("FirmwareVersion").value()), clean(info.child("SerialNumber").value())
	} else if errors.Is(err, ErrUnauthorized) {
		return f, err
	}
	media, events, err := s.services(ctx)
	if err != nil {
		return f, err
	}
	f.Events = events != nil
	if media == nil {
		return f, fmt.Errorf("streams: %w", ErrUnsupported)
	}
	f.Profiles, err = s.profiles(ctx, media)
	return f, err
}

// services finds the services for streams and events; nil: there is none.
func (s *session) services(ctx context.Context) (media, events *url.URL, err error) {
	answer, err := s.ask(ctx, s.home, `<GetCapabilities xmlns="http://www.onvif.org/ver10/device/wsdl"><Category>All</Category></GetCapabilities>`)
	if err == nil {
		list := answer.child("Capabilities")
		media, events = s.service(list.at("Media", "XAddr").value()), s.service(list.at("Events", "XAddr").value())
	}
	if media != nil || errors.Is(err, ErrUnauthorized) {
		return media, events, err
	}
	answer, err = s.ask(ctx, s.home, `<GetServices xmlns="http://www.onvif.org/ver10/device/wsdl"><IncludeCapability>false</IncludeCapability></GetServices>`)
	if err != nil {
		return nil, nil, fmt.Errorf("services: %w", err)
	}
	for _, x := range answer.all("Service") {
		switch strings.TrimSpace(x.child("Namespace").value()) {
		case "http://www.onvif.org/ver10/media/wsdl":
			media = s.service(x.child("XAddr").value())
		case "http://www.onvif.org/ver10/events/wsdl":
			events = s.service(x.child("XAddr").value())
		}
	}
	return media, events, nil
}

func (s *session) profiles(ctx context.Context, media *url.URL) ([]Profile, error) {
	answer, err := s.ask(ctx, media, `<GetProfiles xmlns="http://www.onvif.org/ver10/media/wsdl"/>`)
	if err != nil {
		return nil, fmt.Errorf("profiles: %w", err)
	}
	var list []Profile
	for _, x := range answer.all("Profiles") {
		if len(list) == maxProfiles {
			break
		}
		encoder, source := x.child("VideoEncoderConfiguration"), x.child("VideoSourceConfiguration")
		if x.attr("token") == "" || encoder == nil {
			continue
		}
		p := Profile{
			Token: x.attr("token"), Name: clean(x.child("Name").value()), Codec: strings.ToLower(clean(encoder.child("Encoding").value())),
			Width: number(encoder.at("Resolution", "Width")), Height: number(encoder.at("Resolution", "Height")),
			FPS:                 float64(number(encoder.at("RateControl", "FrameRateLimit"))),
			sourceConfiguration: source.attr("token"), source: source.child("SourceToken").value(),
		}
		s.locate(ctx, media, &p)
		list = append(list, p)
	}
	return list, nil
}

// locate asks where a profile's pictures are.
func (s *session) locate(ctx context.Context, media *url.URL, p *Profile) {
	token := escape(p.Token)
	answer, err := s.ask(ctx, media, `<GetStreamUri xmlns="http://www.onvif.org/ver10/media/wsdl"><StreamSetup><Stream xmlns="http://www.onvif.org/ver10/schema">RTP-Unicast</Stream>`+
		`<Transport xmlns="http://www.onvif.org/ver10/schema"><Protocol>RTSP</Protocol></Transport></StreamSetup><ProfileToken>`+token+`</ProfileToken></GetStreamUri>`)
	if err != nil {
		p.Refused = clean(err.Error())
		return
	}
	p.StreamURL, err = s.given(ctx, answer.find("Uri").value(), "rtsp", "rtsps")
	if err != nil {
		p.Refused = clean(err.Error())
		return
	}
	if answer, err = s.ask(ctx, media, `<GetSnapshotUri xmlns="http://www.onvif.org/ver10/media/wsdl"><ProfileToken>`+token+`</ProfileToken></GetSnapshotUri>`); err == nil {
		// Without a snapshot the stream is still of use.
		p.SnapshotURL, _ = s.given(ctx, answer.find("Uri").value(), "http", "https")
	}
}

// maxURL is the longest address that is taken from a device.
const maxURL = 500

// given checks an address that a device named. Credentials in it are left out.
func (s *session) given(ctx context.Context, address string, schemes ...string) (string, error) {
	u, err := url.Parse(address)
	if err != nil || len(address) > maxURL || u.Hostname() == "" {
		return "", errors.New("the address that the camera gives is none")
	}
	if u.Scheme != schemes[0] && u.Scheme != schemes[1] {
		return "", fmt.Errorf("the camera gives an address of scheme %q", clean(u.Scheme))
	}
	u.User, u.Fragment = nil, ""
	if err := s.c.o.Check(ctx, u.String()); err != nil {
		return "", fmt.Errorf("the camera sends us elsewhere: %w", err)
	}
	return u.String(), nil
}

func number(e *element) int {
	n, err := strconv.Atoi(e.value())
	if err != nil || n < 0 || n > 100_000 {
		return 0
	}
	return n
}
