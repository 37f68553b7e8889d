package lab

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/chargewatch/chargewatch/internal/sim"
)

func random(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 0x1ab)) }

// kind is a sort of site.
type kind struct {
	name    string
	use     sim.Use
	popular float64
	models  []string // stations, in turn
	modem   string   // carrier; empty: a mix
	free    bool
}

// kinds are the sorts of sites that a run is made of, in the order in which
// they are built: the first few give every scenario a place.
func kinds() []kind {
	return []kind{
		{name: "hpc", use: sim.Motorway, popular: 1.1, models: []string{"HYC300", "HYC150", "Terra 184 CC", "HYC300", "Sicharge D", "HYC400"}},
		{name: "street", use: sim.City, popular: 1.6, models: []string{"Duo ims", "NG910-60123", "Duo ims", "NG910-60123", "AMTRON Professional", "Duo ims"}},
		{name: "mall", use: sim.Retail, popular: 1.1, models: []string{"HYC150", "Terra 184 CC", "Duo ims", "HYC150", "Satellite S2", "Terra 54 CJG"}},
		{name: "cohort", use: sim.Motorway, popular: 1, models: []string{"Tripla AC-DC 150"}},
		{name: "mobile", use: sim.City, popular: 1.3, models: []string{"NG910-60123", "Pionix BelayBox", "Duo ims"}, modem: carrierDown},
		{name: "office", use: sim.Office, popular: 1.2, models: []string{"NG910-60123", "BusinessLine G4", "Pionix BelayBox", "Duo ims"}},
		{name: "hotel", use: sim.Hotel, popular: 1, models: []string{"Pulsar Pro", "Charger PRO", "AMTRON Professional", "Pionix BelayBox"}},
		{name: "rural", use: sim.City, popular: 0.25, models: []string{"AMTRON Professional", "Duo ims"}},
		{name: "depot", use: sim.Depot, popular: 1, models: []string{"BusinessLine G4", "NG910-60123"}, free: true},
	}
}

// kindsFor are those that some scenarios need: a story is told at one or two
// sites.
func kindsFor(list []Scenario) []kind {
	all := kinds()
	if len(list) == 0 {
		return all
	}
	var out []kind
	add := func(name string) {
		i := slices.IndexFunc(all, func(k kind) bool { return k.name == name })
		if !slices.ContainsFunc(out, func(k kind) bool { return k.name == name }) {
			out = append(out, all[i])
		}
	}
	for i := range list {
		switch s := &list[i]; {
		case s.scope == onCarrier:
			add("mobile")
		case len(s.site) > 0:
			add(s.site[0])
		default:
			add("hpc")
			add("street")
		}
	}
	return out
}

// carrierDown is the carrier that has an outage, by the head of its cards.
const carrierDown = "894907"

const perSite = 6

// plan is a network of so many stations. Of the sites that are lost together
// (one carrier, one firmware) there are two.
func plan(seed uint64, stations int, kinds []kind) sim.Plan {
	models := make(map[string]sim.Model)
	for _, m := range sim.Hardware() {
		models[m.Name] = m
	}
	r := random(seed ^ 0xbead)
	p := sim.Plan{Tokens: sim.Tokens(seed, 100+40*stations), Strangers: sim.Tokens(^seed, 20)}
	count := make(map[string]int)
	for n := 0; len(p.Stations) < stations; n++ {
		k := &kinds[n%len(kinds)]
		if len(kinds) > 1 && (k.name == "cohort" || k.name == "mobile") && count[k.name] == 2 {
			continue
		}
		count[k.name]++
		site := sim.Site{
			ID: fmt.Sprintf("%s-%d", k.name, count[k.name]), TimeZone: "Europe/Berlin", Use: k.use, Popular: k.popular, FreeVend: k.free,
		}
		site.Name = site.ID
		p.Sites = append(p.Sites, site)
		for i := range perSite {
			if len(p.Stations) == stations {
				break
			}
			m := models[k.models[i%len(k.models)]]
			s := sim.Spec{
				ID: fmt.Sprintf("%s-%02d", site.ID, i+1), Site: site.ID, Model: m, Serial: fmt.Sprintf("%s%06d", k.name, n*perSite+i),
				Config: sampling(&m),
			}
			switch {
			case k.modem != "":
				s.Modem = fmt.Sprintf("%s%013d", k.modem, r.Int64N(1e13))
			case r.IntN(3) > 0:
				s.Modem = fmt.Sprintf("894920%013d", r.Int64N(1e13))
			}
			p.Stations = append(p.Stations, s)
		}
	}
	return p
}

// sampling is what operators set: every two minutes at AC, half a minute at DC,
// with all that detectors ask for.
func sampling(m *sim.Model) map[string]string {
	every, what := "120", "Energy.Active.Import.Register,Power.Active.Import,Current.Import,Voltage,Current.Offered"
	if m.EVSEs[0].Phases == 0 {
		every, what = "30", "Energy.Active.Import.Register,Power.Active.Import,Current.Import,Voltage,Power.Offered,SoC,Temperature"
	}
	if m.Version != sim.V16 {
		return map[string]string{"SampledDataCtrlr/TxUpdatedInterval": every, "SampledDataCtrlr/TxUpdatedMeasurands": what}
	}
	return map[string]string{"MeterValueSampleInterval": every, "MeterValuesSampledData": what}
}
