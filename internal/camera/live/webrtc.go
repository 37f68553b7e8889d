package live

import (
	"fmt"
	"io"
	"time"

	"github.com/pion/ice/v4"
	"github.com/pion/interceptor"
	"github.com/pion/interceptor/pkg/nack"
	"github.com/pion/interceptor/pkg/report"
	"github.com/pion/logging"
	"github.com/pion/webrtc/v4"
)

const (
	clockRate     = 90_000
	videoPayload  = 102
	playoutDelay  = "http://www.webrtc.org/experiments/rtp-hdrext/playout-delay"
	tcpReadBuffer = 8
)

// A viewer who is not heard for quietAfter and goneAfter more has gone: browsers ask
// every two seconds or so whether we are there, and try anew by themselves after six
// without a picture.
const (
	quietAfter = 5 * time.Second
	goneAfter  = 5 * time.Second
	keepalive  = 2 * time.Second
)

// keptPackets may be sent again to a viewer that lost them: seconds of a camera's
// main stream, 700 KB for each viewer. It is a power of two.
const keptPackets = 512

// h264 is what every browser takes. The profile is that of the handshake only:
// decoders read the picture's own.
func h264() webrtc.RTPCodecCapability {
	return webrtc.RTPCodecCapability{
		MimeType: webrtc.MimeTypeH264, ClockRate: clockRate,
		SDPFmtpLine: "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f",
		RTCPFeedback: []webrtc.RTCPFeedback{
			{Type: "nack"},
			{Type: "nack", Parameter: "pli"},
		},
	}
}

// newAPI sets WebRTC up: one port for all, no names of hosts, lost packets sent
// again.
func newAPI(o Options) (*webrtc.API, error) {
	media := &webrtc.MediaEngine{}
	if err := media.RegisterCodec(webrtc.RTPCodecParameters{
		RTPCodecCapability: h264(), PayloadType: videoPayload,
	}, webrtc.RTPCodecTypeVideo); err != nil {
		return nil, fmt.Errorf("register H.264: %w", err)
	}
	if err := media.RegisterHeaderExtension(
		webrtc.RTPHeaderExtensionCapability{URI: playoutDelay}, webrtc.RTPCodecTypeVideo); err != nil {
		return nil, fmt.Errorf("register the playout delay: %w", err)
	}
	chain := &interceptor.Registry{}
	again, err := nack.NewResponderInterceptor(nack.ResponderSize(keptPackets))
	if err != nil {
		return nil, fmt.Errorf("answer lost packets: %w", err)
	}
	reports, err := report.NewSenderInterceptor()
	if err != nil {
		return nil, fmt.Errorf("report to viewers: %w", err)
	}
	chain.Add(again)
	chain.Add(reports)

	// What one viewer's connection goes through is nobody's business here.
	silent := &logging.DefaultLoggerFactory{Writer: io.Discard, DefaultLogLevel: logging.LogLevelDisabled}
	setting := webrtc.SettingEngine{LoggerFactory: silent}
	setting.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled)
	setting.SetIncludeLoopbackCandidate(true)
	setting.SetICETimeouts(quietAfter, goneAfter, keepalive)
	var networks []webrtc.NetworkType
	if o.UDP != nil {
		setting.SetICEUDPMux(webrtc.NewICEUDPMux(silent.NewLogger("ice"), o.UDP))
		networks = append(networks, webrtc.NetworkTypeUDP4, webrtc.NetworkTypeUDP6)
	}
	if o.TCP != nil {
		setting.SetICETCPMux(webrtc.NewICETCPMux(silent.NewLogger("ice"), o.TCP, tcpReadBuffer))
		networks = append(networks, webrtc.NetworkTypeTCP4, webrtc.NetworkTypeTCP6)
	}
	setting.SetNetworkTypes(networks)
	setting.DisableActiveTCP(true)
	return webrtc.NewAPI(webrtc.WithMediaEngine(media), webrtc.WithInterceptorRegistry(chain), webrtc.WithSettingEngine(setting)), nil
}
