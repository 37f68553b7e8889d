package event

import "time"

// KindProof is how a station proves itself, where somebody has to know.
const KindProof Kind = "station.proof"

// Proof says what is not as it should be about how a station proves itself. It is told
// when that changes; nothing: all is well.
type Proof struct {
	Weaker *WeakerProof     `json:"weaker,omitempty"`
	Ends   []CertificateEnd `json:"ends,omitempty"` // of certificates, soon or past; the first to end first
}

// WeakerProof is a station that came by less than it must use, or than it was given.
type WeakerProof struct {
	Must   int  `json:"must"` // security profile
	Came   int  `json:"came"`
	Let    bool `json:"let,omitempty"`    // it was let in: its profile is being raised
	Absent bool `json:"absent,omitempty"` // it did not come at all
}

// CertificateEnd is a certificate that ends.
type CertificateEnd struct {
	Of     string    `json:"of"` // station, server, root, stationRoot, client
	Name   string    `json:"name,omitempty"`
	Serial string    `json:"serial,omitempty"`
	At     time.Time `json:"at"`
	Within int       `json:"within"` // days, of those that are watched for: 30, 7, 0
}

// What a certificate is of.
const (
	EndOfStation     = "station"
	EndOfServer      = "server"
	EndOfRoot        = "root"        // that of the server's certificate
	EndOfStationRoot = "stationRoot" // that of stations' certificates
	EndOfClient      = "client"      // towards another central system
)

// Kind is KindProof.
func (*Proof) Kind() Kind { return KindProof }

func (*Proof) isBody() {}
