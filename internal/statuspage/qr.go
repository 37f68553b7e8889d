package statuspage

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"rsc.io/qr"
)

// quiet is the white border that scanners ask for, in modules.
const quiet = 4

// code draws a QR code as the path of its dark modules, one run of a row after
// the other, and says how wide it is.
func code(text string) (outline string, side int, err error) {
	c, err := qr.Encode(text, qr.M)
	if err != nil {
		return "", 0, fmt.Errorf("encode a QR code: %w", err)
	}
	var b strings.Builder
	for y := range c.Size {
		for x := 0; x < c.Size; x++ {
			if !c.Black(x, y) {
				continue
			}
			from := x
			for x < c.Size && c.Black(x, y) {
				x++
			}
			b.WriteString("M" + strconv.Itoa(from+quiet) + " " + strconv.Itoa(y+quiet) + "h" + strconv.Itoa(x-from) + "v1H" + strconv.Itoa(from+quiet) + "z")
		}
	}
	return b.String(), c.Size + 2*quiet, nil
}

// address is what a code of a port leads to.
func (p *Pages) address(r *http.Request, id string) string {
	scheme := "http://"
	if p.o.Secure {
		scheme = "https://"
	}
	return scheme + r.Host + "/status/p/" + escape(id)
}

// qr draws the code of a port.
func (p *Pages) qr(w http.ResponseWriter, r *http.Request) {
	id, ok := strings.CutSuffix(r.PathValue("file"), ".svg")
	if !ok {
		p.nothing(w, r)
		return
	}
	_, x, ok := p.now().find(id)
	if !ok {
		p.nothing(w, r)
		return
	}
	outline, side, err := code(p.address(r, x.id))
	if err != nil {
		p.log.ErrorContext(r.Context(), "code of a port not drawn", "err", err)
		http.Error(w, "something went wrong on our side", http.StatusInternalServerError)
		return
	}
	svg := fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %[1]d %[1]d" shape-rendering="crispEdges">`+
		`<path fill="#fff" d="M0 0h%[1]dv%[1]dH0z"/><path d="%[2]s"/></svg>`+"\n", side, outline)
	a, err := newAnswer(http.StatusOK, "image/svg+xml", []byte(svg))
	if err != nil {
		p.log.ErrorContext(r.Context(), "code of a port not drawn", "err", err)
		http.Error(w, "something went wrong on our side", http.StatusInternalServerError)
		return
	}
	a.send(w, r, "public, max-age=300")
}

// sticker is one label to print.
type sticker struct {
	Name, Site, Charger, Address string
	Outline                      string
	Side                         int
}

type stickerPage struct {
	L, Other *language
	Site     string
	Public   bool
	Stickers []sticker
}

// Stickers prints the codes of a site's ports for whoever may read the site,
// published or not. The site must exist.
func (p *Pages) Stickers(w http.ResponseWriter, r *http.Request, siteID string) {
	x, ok := p.o.Store.Site(siteID)
	if !ok {
		p.nothing(w, r)
		return
	}
	b := p.now()
	s, ok := b.byID[siteID]
	if !ok {
		s = b.site(x, make(map[string]*time.Location))
	}
	fr := p.frame(r, "")
	data := stickerPage{L: fr.L, Other: fr.Other, Site: s.DriversName(), Public: x.Public}
	ports, chargers := s.ports()
	for i := range ports {
		outline, side, err := code(p.address(r, ports[i].id))
		if err != nil {
			p.log.ErrorContext(r.Context(), "code of a port not drawn", "err", err)
			http.Error(w, "something went wrong on our side", http.StatusInternalServerError)
			return
		}
		label := chargers[ports[i].charger].label
		if label == "" {
			label = fmt.Sprintf(fr.L.Charger, ports[i].charger+1)
		}
		data.Stickers = append(data.Stickers, sticker{
			Name: ports[i].title(fr.L), Site: data.Site, Charger: label, Address: p.address(r, ports[i].id), Outline: outline, Side: side,
		})
	}
	p.serve(w, r, nil, "", unshared, func() (*answer, error) { return p.html(http.StatusOK, "stickers", data) })
}
