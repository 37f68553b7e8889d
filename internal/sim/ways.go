package sim

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// way is how a station comes to its central system.
type way struct {
	url     string // empty: the fleet's
	profile int    // 0: as it always did
}

// ways are those that a station knows. A new order is in force after a restart; who
// misses the first of it three times tries the next, and so comes back as before.
type ways struct {
	slots  map[int]way // 2.x, as they were set
	order  []way       // in force; empty: as it always did
	at     int
	missed int
}

// attempts is how often a way is tried before the next.
const attempts = 3

// current is the way that is tried now.
func (w *ways) current() way {
	if len(w.order) == 0 {
		return way{}
	}
	return w.order[w.at]
}

// failed counts a way that did not lead anywhere.
func (w *ways) failed() {
	if w.missed++; w.missed >= attempts && len(w.order) > 1 {
		w.at, w.missed = (w.at+1)%len(w.order), 0
	}
}

// takeWays puts in force what was set, as a start does.
func (st *station) takeWays() {
	before := st.ways.current()
	st.ways.at, st.ways.missed = 0, 0
	if st.spec.Habit == FallsBack {
		return
	}
	if st.version == V16 {
		if n, err := strconv.Atoi(st.get("SecurityProfile")); err == nil && n > max(1, before.profile) {
			st.ways.order = []way{{st.f.o.ByProfile[n], n}, before}
		}
		return
	}
	var order []way
	for _, slot := range strings.Split(st.get("OCPPCommCtrlr/NetworkConfigurationPriority"), ",") {
		n, err := strconv.Atoi(strings.TrimSpace(slot))
		if err != nil {
			continue
		}
		order = append(order, st.ways.slots[n])
	}
	if len(st.ways.slots) > 0 {
		st.ways.order = order
	}
}

// refusesProfile says what a station says to a profile that it does not take; empty: it
// takes it.
func (st *station) refusesProfile(profile string) string {
	n, err := strconv.Atoi(profile)
	now := max(1, st.ways.current().profile)
	switch {
	case err != nil, n < now, n > 3, st.spec.Habit == RejectsProfile, n == 3 && st.own.pair == nil:
		return "Rejected" // a profile is never lowered from afar
	}
	return ""
}

// setWay takes a way to a central system.
func (d *v2) setWay(raw json.RawMessage) (any, error) {
	r, err := decode[struct {
		Slot int `json:"configurationSlot"`
		Data struct {
			URL       string `json:"ocppCsmsUrl"`
			Transport string `json:"ocppTransport"`
			Profile   int    `json:"securityProfile"`
		} `json:"connectionData"`
	}](raw)
	if err != nil {
		return nil, err
	}
	st := d.st
	scheme := "ws://"
	if r.Data.Profile > 1 {
		scheme = "wss://"
	}
	if r.Slot < 1 || r.Slot > 5 || r.Data.Transport != "JSON" || !strings.HasPrefix(r.Data.URL, scheme) || st.refusesProfile(strconv.Itoa(r.Data.Profile)) != "" {
		return answer("Rejected")
	}
	if st.ways.slots == nil {
		st.ways.slots = map[int]way{1: {}} // the first is the one that it came with
	}
	if len(st.ways.order) > 0 && st.ways.slots[r.Slot] == st.ways.current() {
		return answer("Rejected") // it is in use
	}
	st.ways.slots[r.Slot] = way{r.Data.URL, r.Data.Profile}
	return answer("Accepted")
}

// rightWays reports whether an order names ways that were set.
func (st *station) rightWays(order string) bool {
	for _, slot := range strings.Split(order, ",") {
		n, err := strconv.Atoi(slot)
		if _, ok := st.ways.slots[n]; err != nil || !ok && n != 1 {
			return false
		}
	}
	return true
}

// dialerOf is that of an address.
func (f *Fleet) dialerOf(url string) (dialer, error) {
	if url == "" {
		return f.dialer, nil
	}
	f.dialersMu.Lock()
	defer f.dialersMu.Unlock()
	if d, ok := f.dialers[url]; ok {
		return d, nil
	}
	d, err := newSocketDialer(url, f.o.TLS, f.o.Sources)
	if err != nil {
		return nil, err
	}
	if f.dialers == nil {
		f.dialers = make(map[string]dialer)
	}
	f.dialers[url] = d
	return d, nil
}

// root is a root certificate in a station.
type root struct {
	use  string
	cert *x509.Certificate
}

type certificateName struct {
	Algorithm string `json:"hashAlgorithm"`
	Issuer    string `json:"issuerNameHash"`
	Key       string `json:"issuerKeyHash"`
	Serial    string `json:"serialNumber"`
}

func (r root) name() certificateName {
	sum := func(b []byte) string { h := sha256.Sum256(b); return hex.EncodeToString(h[:]) }
	var info struct {
		Algorithm pkix.AlgorithmIdentifier
		Key       asn1.BitString
	}
	if _, err := asn1.Unmarshal(r.cert.RawSubjectPublicKeyInfo, &info); err != nil {
		return certificateName{}
	}
	return certificateName{"SHA256", sum(r.cert.RawIssuer), sum(info.Key.RightAlign()), r.cert.SerialNumber.Text(16)}
}

// installRoot takes a root certificate.
func (st *station) installRoot(raw json.RawMessage) (any, error) {
	r, err := decode[struct {
		Use  string `json:"certificateType"`
		Text string `json:"certificate"`
	}](raw)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode([]byte(r.Text))
	if block == nil || st.spec.Habit == RejectsRoot {
		return answer("Rejected")
	}
	c, err := x509.ParseCertificate(block.Bytes)
	if err != nil || !c.IsCA {
		return answer("Rejected")
	}
	if !slices.ContainsFunc(st.own.roots, func(x root) bool { return x.use == r.Use && x.cert.Equal(c) }) {
		st.own.roots = append(slices.Clip(st.own.roots), root{r.Use, c})
	}
	return answer("Accepted")
}

// heldRoots tells which root certificates the station has of a use.
func (st *station) heldRoots(raw json.RawMessage) (any, error) {
	type entry struct {
		Use  string          `json:"certificateType"`
		Name certificateName `json:"certificateHashData"`
	}
	var uses []string
	if st.version == V16 {
		r, err := decode[struct {
			Use string `json:"certificateType"`
		}](raw)
		if err != nil {
			return nil, err
		}
		uses = []string{r.Use}
	} else {
		r, err := decode[struct {
			Uses []string `json:"certificateType"`
		}](raw)
		if err != nil {
			return nil, err
		}
		uses = r.Uses
	}
	var found []entry
	for _, x := range st.own.roots {
		if len(uses) == 0 || slices.Contains(uses, x.use) {
			found = append(found, entry{x.use, x.name()})
		}
	}
	switch {
	case len(found) == 0:
		return answer("NotFound")
	case st.version == V16:
		out := struct {
			Status string            `json:"status"`
			Names  []certificateName `json:"certificateHashData"`
		}{Status: "Accepted"}
		for _, x := range found {
			out.Names = append(out.Names, x.Name)
		}
		return out, nil
	}
	return struct {
		Status string  `json:"status"`
		Chain  []entry `json:"certificateHashDataChain"`
	}{"Accepted", found}, nil
}

// deleteRoot deletes a root certificate, unless it is the last that makes the way safe that
// the station is on.
func (st *station) deleteRoot(raw json.RawMessage) (any, error) {
	r, err := decode[struct {
		Name certificateName `json:"certificateHashData"`
	}](raw)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(st.own.roots, func(x root) bool { return x.name() == r.Name })
	switch {
	case i < 0:
		return answer("NotFound")
	case len(st.own.roots) == 1 && st.ways.current().profile > 1:
		return answer("Failed")
	}
	st.own.roots = slices.Delete(slices.Clone(st.own.roots), i, i+1)
	return answer("Accepted")
}

// pass is what a station has with it when it dials.
type pass struct {
	way   way
	pair  *tls.Certificate
	roots []root
}

// packed is what the station dials with.
func (st *station) packed() pass {
	st.mu.Lock()
	defer st.mu.Unlock()
	p := pass{way: st.ways.current(), pair: st.own.pair, roots: st.own.roots}
	if p.way.profile > 0 && p.way.profile < 3 {
		p.pair = nil
	}
	return p
}

type rootsKey struct{}

// trust makes a transport believe the roots of the station that dials, beside its own.
func trust(t *http.Transport) {
	t.DialTLSContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := t.DialContext(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		conf := &tls.Config{MinVersion: tls.VersionTLS12}
		if t.TLSClientConfig != nil {
			conf = t.TLSClientConfig.Clone()
		}
		if conf.ServerName == "" {
			conf.ServerName, _, _ = net.SplitHostPort(addr) //nolint:errcheck // it was dialled
		}
		if roots, ok := ctx.Value(rootsKey{}).([]root); ok && len(roots) > 0 {
			pool := x509.NewCertPool()
			if conf.RootCAs != nil {
				pool = conf.RootCAs.Clone()
			}
			for _, r := range roots {
				pool.AddCert(r.cert)
			}
			conf.RootCAs = pool
		}
		c := tls.Client(conn, conf)
		limit, cancel := context.WithTimeout(ctx, dialTimeout)
		defer cancel()
		if err := c.HandshakeContext(limit); err != nil {
			conn.Close()
			return nil, err
		}
		return c, nil
	}
}

// lost is how long a station is away that never comes back.
const lost = 365 * 24 * time.Hour
