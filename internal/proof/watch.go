package proof

import (
	"cmp"
	"context"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/store"
)

const day = 24 * time.Hour

// within is the nearest of the days that are watched for, before a certificate ends.
func within(now, end time.Time) (days int, soon bool) {
	switch left := end.Sub(now); {
	case left <= 0:
		return 0, true
	case left < 7*day:
		return 7, true
	case left < 30*day:
		return 30, true
	}
	return 0, false
}

// Weaker is told of a station that proved itself by less than it must and was refused.
func (s *Service) Weaker(station string, came int) {
	s.mu.Lock()
	s.weaker[station] = came
	s.look[station] = struct{}{}
	s.mu.Unlock()
	s.kick()
}

// shownCertificate keeps when a certificate ends that somebody else made.
func (s *Service) shownCertificate(station string, c *x509.Certificate) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.shown[station] = event.CertificateEnd{Of: event.EndOfStation, Name: c.Subject.CommonName, Serial: c.SerialNumber.Text(16), At: c.NotAfter.UTC()}
}

// newest are the certificates that end last of those that stations took.
func (s *Service) newest() map[string]*store.StationCertificate {
	out := make(map[string]*store.StationCertificate)
	for _, x := range s.o.Store.StationCertificates("") {
		if old := out[x.Station]; x.State == store.CertificateAccepted && (old == nil || x.NotAfter.After(old.NotAfter)) {
			out[x.Station] = x
		}
	}
	return out
}

// watch tells what is not as it should be, where that changed: of all stations, or of
// those at which something happened.
func (s *Service) watch(ctx context.Context, all bool) {
	s.mu.Lock()
	look := s.look
	s.look = make(map[string]struct{})
	s.mu.Unlock()
	if !all && len(look) == 0 {
		return
	}
	told, err := s.o.Store.ProofsTold(ctx)
	if err != nil {
		if ctx.Err() == nil {
			s.o.Logger.WarnContext(ctx, "what was told of proofs is not known", "err", err)
		}
		return
	}
	newest := s.newest()
	for _, e := range s.o.Store.Stations() {
		if _, ok := look[e.ID]; all || ok {
			s.tell(ctx, e, newest[e.ID], told["station/"+e.ID])
		}
	}
	if all {
		s.tellOurs(ctx, told["server"])
	}
}

func (s *Service) tell(ctx context.Context, e *store.Enrolment, newest *store.StationCertificate, told string) {
	body, before := &event.Proof{}, &event.Proof{}
	if told != "" && json.Unmarshal([]byte(told), before) != nil {
		before = &event.Proof{}
	}
	if to, _ := s.o.Store.RelayOf(e.ID); to == nil {
		body.Weaker, body.Ends = s.weakerOf(e, before.Weaker), s.endsOf(e.ID, newest)
	}
	said := ""
	if body.Weaker != nil || len(body.Ends) > 0 {
		text, err := json.Marshal(body)
		if err != nil {
			return // it holds nothing that JSON refuses
		}
		said = string(text)
	}
	if said == told {
		return
	}
	if err := s.o.Store.TellProof(ctx, "station/"+e.ID, said, event.Station(e.ID), body); err != nil && ctx.Err() == nil {
		s.o.Logger.WarnContext(ctx, "how a station proves itself is not told", "station", e.ID, "err", err)
	}
}

// weakerOf says that a station came by less than it must use, until it comes as it must;
// and that it took a profile and did not come by it.
func (s *Service) weakerOf(e *store.Enrolment, told *event.WeakerProof) *event.WeakerProof {
	st, known := s.o.Fleet.Snapshot().Station(e.ID)
	online := known && st.Online
	if u, ok := s.o.Store.Upgrade(e.ID); ok && e.Profile < u.To && (u.State == store.UpgradeFellBack || u.State == store.UpgradeMissing) {
		if online {
			return &event.WeakerProof{Must: u.To, Came: st.SecurityProfile, Let: true}
		}
		if u.State == store.UpgradeMissing {
			return &event.WeakerProof{Must: u.To, Absent: true}
		}
		return told
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	came, refused := s.weaker[e.ID]
	switch {
	case refused && came >= e.Profile: // people lowered it since
		delete(s.weaker, e.ID)
	case refused && (told == nil || told.Let || told.Absent):
		// The right one may be connected all the same: who came was another.
		delete(s.weaker, e.ID)
		return &event.WeakerProof{Must: e.Profile, Came: came}
	case refused:
		delete(s.weaker, e.ID)
		return told
	case told == nil || told.Let || told.Absent || told.Came >= e.Profile:
	case !online || st.SecurityProfile < e.Profile || s.o.Now().Sub(st.ConnectedAt) < time.Hour:
		return told // until it stayed for an hour as it must
	}
	return nil
}

func (s *Service) endsOf(station string, newest *store.StationCertificate) []event.CertificateEnd {
	var end event.CertificateEnd
	if newest != nil {
		end = event.CertificateEnd{Of: event.EndOfStation, Name: newest.Subject, Serial: newest.Serial, At: newest.NotAfter}
	}
	s.mu.Lock()
	if x, ok := s.shown[station]; ok && x.At.After(end.At) {
		end = x
	}
	s.mu.Unlock()
	days, soon := within(s.o.Now(), end.At)
	if end.At.IsZero() || !soon {
		return nil
	}
	end.Within = days
	return []event.CertificateEnd{end}
}

// tellOurs tells that certificates of ours end: one finding, about the first of them.
func (s *Service) tellOurs(ctx context.Context, told string) {
	var ends []event.CertificateEnd
	for _, x := range s.o.Ways.Ends() {
		if days, soon := within(s.o.Now(), x.At); soon {
			x.Within = days
			ends = append(ends, x)
		}
	}
	slices.SortFunc(ends, func(a, b event.CertificateEnd) int {
		return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Of, b.Of), cmp.Compare(a.Name, b.Name))
	})
	said := ""
	if len(ends) > 0 {
		text, err := json.Marshal(ends)
		if err != nil {
			return
		}
		said = string(text)
	}
	if said == told {
		return
	}
	f := &event.Finding{Code: "serverCertificateEnds", State: event.FindingCleared, Severity: event.S3, Since: s.o.Now()}
	if len(ends) > 0 {
		f.State = event.FindingRaised
		if told != "" {
			f.State = event.FindingUpdated
		}
		if ends[0].Within <= 7 {
			f.Severity = event.S2
		}
		f.Text, f.TextDE = endText(ends[0])
		for _, x := range ends[:min(len(ends), 20)] {
			f.Facts = append(f.Facts, event.Fact{Name: "endsAt", Text: x.At.Format(time.DateOnly) + " " + x.Of + " " + x.Name})
		}
	}
	if err := s.o.Store.TellProof(ctx, "server", said, event.Self(), f); err != nil && ctx.Err() == nil {
		s.o.Logger.WarnContext(ctx, "the end of our certificates is not told", "err", err)
	}
}

func endText(x event.CertificateEnd) (en, de string) {
	on := x.At.Format(time.DateOnly)
	switch x.Of {
	case event.EndOfRoot:
		return fmt.Sprintf("The root of the server's certificate ends on %s: stations need another one before.", on),
			fmt.Sprintf("Das Stammzertifikat des Servers läuft am %s ab: Stationen brauchen vorher ein anderes.", on)
	case event.EndOfStationRoot:
		return fmt.Sprintf("The authority of stations' certificates ends on %s: no certificate of a station is good for longer.", on),
			fmt.Sprintf("Die Zertifizierungsstelle der Stationen läuft am %s ab: Kein Zertifikat einer Station gilt länger.", on)
	case event.EndOfClient:
		return fmt.Sprintf("The certificate for the upstream system %s ends on %s: it refuses us then.", x.Name, on),
			fmt.Sprintf("Das Zertifikat für das System %s läuft am %s ab: Es weist uns dann ab.", x.Name, on)
	}
	return fmt.Sprintf("The certificate of the server ends on %s: stations that come by TLS refuse it then.", on),
		fmt.Sprintf("Das Zertifikat des Servers läuft am %s ab: Stationen, die über TLS kommen, weisen ihn dann ab.", on)
}
