package sim

import (
	"fmt"
	"math/rand/v2"
	"time"
)

// place is a site of the demo network with what stands on it.
type place struct {
	Site
	code  string
	parts []part
}

type part struct {
	model string
	n     int
}

// places is the demo network of the invented operator CWD: real towns, made-up
// sites.
var places = []place{
	{Site{ID: "ham-hafen", Name: "Hamburg HafenCity Parkhaus", Address: "Am Sandtorkai 46, 20457 Hamburg", Latitude: 53.5428, Longitude: 9.9930, OpeningHours: "24/7", GridLimitW: 320_000, Use: City}, "HAM", []part{{"Duo ims", 7}, {"NG910-60123", 5}, {"Terra 54 CJG", 2}}},
	{Site{ID: "ham-stillhorn", Name: "A1 Rastplatz Stillhorn Ost", Address: "Stillhorner Weg, 21109 Hamburg", Latitude: 53.4727, Longitude: 10.0235, OpeningHours: "24/7", GridLimitW: 1_600_000, Use: Motorway, Popular: 1.2}, "STI", []part{{"HYC400", 6}, {"HYC300", 4}}},
	{Site{ID: "ber-alex", Name: "Berlin Alexanderplatz Tiefgarage", Address: "Alexanderstraße 7, 10178 Berlin", Latitude: 52.5219, Longitude: 13.4132, OpeningHours: "Mo-Su 05:00-24:00", GridLimitW: 260_000, Use: City}, "BER", []part{{"NG910-60123", 6}, {"AMTRON Professional", 5}, {"HYC150", 2}}},
	{Site{ID: "ber-adlershof", Name: "Berlin Adlershof Campus", Address: "Rudower Chaussee 29, 12489 Berlin", Latitude: 52.4326, Longitude: 13.5306, OpeningHours: "Mo-Fr 06:00-22:00", GridLimitW: 200_000, Use: Office}, "ADL", []part{{"Pionix BelayBox", 5}, {"BusinessLine G4", 5}, {"KC-P30-EC240422-E00", 3}}},
	{Site{ID: "muc-riem", Name: "München Riem Arcaden", Address: "Willy-Brandt-Platz 5, 81829 München", Latitude: 48.1333, Longitude: 11.6917, OpeningHours: "Mo-Sa 07:00-22:00", GridLimitW: 600_000, FreeVend: true, Use: Retail, Popular: 1.2}, "MUC", []part{{"HYC150", 3}, {"Duo ims", 4}, {"Terra 184 CC", 2}}},
	{Site{ID: "muc-airport", Name: "Flughafen München P20", Address: "Nordallee 25, 85356 München-Flughafen", Latitude: 48.3537, Longitude: 11.7861, OpeningHours: "24/7", GridLimitW: 300_000, Use: Airport}, "FMU", []part{{"EVlink Pro AC", 7}, {"Terra AC W22-T-R-0", 4}, {"Satellite S2", 1}}},
	{Site{ID: "cgn-ring", Name: "Köln Hohenzollernring", Address: "Hohenzollernring 52, 50672 Köln", Latitude: 50.9406, Longitude: 6.9398, OpeningHours: "24/7", GridLimitW: 180_000, Use: City, Popular: 1.3}, "CGN", []part{{"NG910-60123", 4}, {"Duo ims", 3}}},
	{Site{ID: "fra-messe", Name: "Frankfurt Messe Hotel", Address: "Ludwig-Erhard-Anlage 1, 60327 Frankfurt am Main", Latitude: 50.1120, Longitude: 8.6510, OpeningHours: "24/7", GridLimitW: 150_000, Use: Hotel}, "FRA", []part{{"Pulsar Pro", 6}, {"Charger PRO", 4}, {"AMTRON Professional", 2}}},
	{Site{ID: "str-vaihingen", Name: "Stuttgart Vaihingen Autohof", Address: "Wallgraben 140, 70565 Stuttgart", Latitude: 48.7286, Longitude: 9.1136, OpeningHours: "24/7", GridLimitW: 1_000_000, Use: Motorway, Popular: 0.8}, "STR", []part{{"Sicharge D", 4}, {"Terra 184 CC", 3}, {"Tripla AC-DC 150", 2}}},
	{Site{ID: "lej-depot", Name: "Leipzig Paketdepot Nord", Address: "Poststraße 30, 04158 Leipzig", Latitude: 51.4015, Longitude: 12.3311, OpeningHours: "Mo-Sa 04:00-23:00", GridLimitW: 280_000, FreeVend: true, Use: Depot}, "LEJ", []part{{"BusinessLine G4", 8}, {"Terra 184 CC", 1}}},
	{Site{ID: "drs-neustadt", Name: "Dresden Neustadt Markt", Address: "Bautzner Straße 6, 01099 Dresden", Latitude: 51.0636, Longitude: 13.7526, OpeningHours: "Mo-Sa 07:00-21:00", GridLimitW: 220_000, Use: Retail, Popular: 0.6}, "DRS", []part{{"Terra 54 CJG", 3}, {"Duo ims", 3}}},
	{Site{ID: "nue-sued", Name: "Nürnberg Südstadt Quartier", Address: "Allersberger Straße 185, 90461 Nürnberg", Latitude: 49.4318, Longitude: 11.0950, OpeningHours: "24/7", GridLimitW: 120_000, Use: City, Popular: 0.7, DarkFor: 31 * time.Hour}, "NUE", []part{{"KC-P30-EC240422-E00", 3}, {"Pionix BelayBox", 2}, {"NG910-60123", 2}}},
}

// Network returns the demo: twelve sites in German cities with about 120
// stations of mixed makers, versions and plugs. The seed moves serial numbers,
// who is commissioned how and which few are found broken; sites and identities
// stay. One site has lost its network, one fast port charges slowly and one
// station has a bad modem.
func Network(seed uint64) Plan {
	models := make(map[string]Model)
	for _, m := range Hardware() {
		models[m.Name] = m
	}
	r := newRand(seed, "network", "stations")
	p := Plan{Tokens: Tokens(seed, 400), Strangers: Tokens(^seed, 25)}
	number := 400
	for _, pl := range places {
		site := pl.Site
		site.TimeZone = "Europe/Berlin"
		p.Sites = append(p.Sites, site)
		k := 0
		for _, part := range pl.parts {
			m, ok := models[part.model]
			if !ok {
				continue
			}
			for range part.n {
				number++
				k++
				s := Spec{
					ID:           fmt.Sprintf("DE-%s-%04d", pl.code, k),
					Label:        fmt.Sprintf("%s %d", site.Name, k),
					Site:         site.ID,
					Model:        m,
					Serial:       serialOf(m.Vendor, number*7+r.IntN(7)),
					Commissioned: time.Date(2021+r.IntN(5), time.Month(1+r.IntN(12)), 1+r.IntN(28), 0, 0, 0, 0, time.UTC),
				}
				for e := range m.EVSEs {
					s.PublicIDs = append(s.PublicIDs, fmt.Sprintf("DE*CWD*E%05d*%d", number, e+1))
				}
				if r.IntN(3) > 0 {
					carrier := "894920"
					if site.ID == "muc-airport" || site.ID == "drs-neustadt" {
						carrier = SecondCarrier
					}
					s.Modem = fmt.Sprintf("%s%013d", carrier, r.Int64N(10_000_000_000_000))
				}
				// Most operators set sampling when they commission a station; a
				// few forget, and the makers' factory settings stay.
				if m.SampleSeconds == 0 && r.IntN(10) > 0 {
					s.Config = commissioned(s.version(), 60)
				}
				switch roll := r.IntN(100); {
				case roll < 3:
					s.StartsOffline = true
				case roll < 7:
					s.StartsFaulted = true
				}
				if site.Use == Depot && len(m.EVSEs) > 0 && m.EVSEs[0].Phases > 0 {
					s.Profile = nightCharging
				}
				if r.IntN(9) == 0 {
					s.Quirks = pick(r, []Quirks{LongSerial, LowerCaseUnits, NumericValues, StatusBeforeBoot, ResendStop, NoZone, StaleFault})
				}
				p.Stations = append(p.Stations, s)
			}
		}
	}
	ail := newRand(seed, "network", "ailments")
	if s := p.pick(ail, func(s *Spec) bool { return s.Model.Name == "HYC300" }); s != nil {
		s.Worn = &Worn{EVSE: 1, MaxW: 62_000, For: 24 * 24 * time.Hour}
	}
	if s := p.pick(ail, func(s *Spec) bool { return s.Site == "cgn-ring" }); s != nil {
		s.Flaps = true
	}
	return p
}

// pick draws a station that nothing else ails.
func (p *Plan) pick(r *rand.Rand, fits func(*Spec) bool) *Spec {
	var all []*Spec
	for i := range p.Stations {
		if s := &p.Stations[i]; fits(s) && !s.StartsOffline && !s.StartsFaulted {
			all = append(all, s)
		}
	}
	if len(all) == 0 {
		return nil
	}
	return pick(r, all)
}

// nightCharging holds vans back in the expensive evening and lets them charge
// from ten at night (21:00 UTC) on.
const nightCharging = `{"chargingProfileId":1,"stackLevel":1,"chargingProfilePurpose":"TxDefaultProfile","chargingProfileKind":"Recurring",
"recurrencyKind":"Daily","chargingSchedule":{"startSchedule":"2026-01-01T00:00:00Z","chargingRateUnit":"A","chargingSchedulePeriod":[
{"startPeriod":0,"limit":16},{"startPeriod":57600,"limit":0},{"startPeriod":75600,"limit":16}]}}`

// commissioned is the sampling configuration an operator sets.
func commissioned(v Version, seconds int) map[string]string {
	every := fmt.Sprint(seconds)
	if v == V16 {
		return map[string]string{"MeterValueSampleInterval": every, "MeterValuesSampledData": fullAC}
	}
	return map[string]string{"SampledDataCtrlr/TxUpdatedInterval": every, "SampledDataCtrlr/TxUpdatedMeasurands": fullAC}
}
