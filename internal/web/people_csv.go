package web

import (
	"cmp"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/chargewatch/chargewatch/internal/access"
	"github.com/chargewatch/chargewatch/internal/store"
)

// peopleColumns are those of the file, one row a credential; a person without has
// one row as well.
func peopleColumns() []string {
	return []string{"id", "name", "company", "groups", "mail", "phone", "until", "suspended", "note", "kind", "idToken", "label", "status", "expiresAt"}
}

const groupsBetween = "|"

func (s *Server) registerPeopleCSV() {
	add(s, global(PeopleWrite), huma.Operation{
		OperationID: "importPeople", Method: http.MethodPost, Path: "/people/import", Tags: []string{"access"},
		Summary: "Add many people and their credentials from CSV",
		Description: "Columns by name in the first line, separated by comma or semicolon: " + strings.Join(peopleColumns(), ", ") +
			". One row a credential; rows with the same id, or the same name and mail, are one person. Groups stand between |. Groups and companies that are not there are made. " +
			"People and tokens that are there already are left as they are. A row with a fault is named and left out; a cell that begins like a formula is a fault.",
		MaxBodyBytes: maxImportBytes, BodyReadTimeout: time.Minute,
	}, s.importPeople)
	s.raw(http.MethodGet, base+"/people/export.csv", global(PeopleRead), s.exportPeople)
}

// importedRow is one row of the file.
type importedRow struct {
	line       int
	id         string
	person     store.Person
	company    string
	groups     []string
	credential store.CredentialInput
	fault      string
	someone    string // what makes two rows one person
}

// formula reports a cell that a spreadsheet would run. A telephone number is none.
func formula(column, value string) bool {
	if value == "" || !strings.ContainsRune("=+-@\t\r", rune(value[0])) {
		return false
	}
	return column != "phone" || strings.Trim(value[1:], "0123456789 ()/.-") != "" || value[0] != '+'
}

// guarded is a text that no spreadsheet runs; plainCell is the way back.
func guarded(value string) string {
	if value != "" && strings.ContainsRune("=+-@\t\r", rune(value[0])) {
		return "'" + value
	}
	return value
}

func plainCell(column, value string) (string, bool) {
	rest, was := strings.CutPrefix(value, "'")
	if was && rest != "" && strings.ContainsRune("=+-@", rune(rest[0])) {
		return rest, true
	}
	return value, !formula(column, value)
}

func (x *importedRow) set(column, value string) (fault string) {
	value, ok := plainCell(column, value)
	if !ok {
		return "begins like a formula"
	}
	p, c := &x.person, &x.credential
	switch column {
	case "id":
		x.id = value
	case "name":
		p.Name = value
	case "company":
		x.company = value
	case "groups":
		for g := range strings.SplitSeq(value, groupsBetween) {
			if g = strings.TrimSpace(g); g != "" {
				x.groups = append(x.groups, g)
			}
		}
	case "mail":
		p.Mail = value
	case "phone":
		p.Phone = value
	case "note":
		p.Note = value
	case "suspended":
		if p.Suspended, ok = yesNo(value); !ok {
			return "must be true or false"
		}
	case "until":
		p.Until, ok = dayOrTime(value)
	case "expiresAt":
		c.ExpiresAt, ok = dayOrTime(value)
	case "kind":
		c.Kind = access.Kind(value)
		if !slices.Contains([]access.Kind{"", access.RFID, access.PIN, access.Plate, access.Pass}, c.Kind) {
			return "must be rfid, pin or plate"
		}
	case "idToken":
		c.IDToken = value
	case "label":
		c.Label = value
		if len(value) > 100 {
			return "at most 100 characters"
		}
	case "status":
		c.Status = access.Status(value)
	}
	if !ok {
		return "must be a day like 2026-12-31, or a time"
	}
	return ""
}

// dayOrTime reads a day, which counts to its end, or a time.
func dayOrTime(value string) (time.Time, bool) {
	if value == "" {
		return time.Time{}, true
	}
	if day, err := time.Parse(time.DateOnly, value); err == nil {
		return day.AddDate(0, 0, 1).UTC(), true
	}
	at, err := time.Parse(time.RFC3339, value)
	return at.UTC(), err == nil
}

func parsePeople(data []byte) ([]*importedRow, []*huma.ErrorDetail) {
	var out []*importedRow
	seen := make(map[string]int)
	faults := readCSV(data, csvForm{columns: peopleColumns(), required: []string{"name"}, rows: maxImportRows}, func(r csvRow) {
		x := &importedRow{line: r.line}
		for column, value := range r.values {
			if text := x.set(column, value); text != "" && x.fault == "" {
				x.fault = column + " " + text
			}
		}
		token := strings.ToLower(x.credential.IDToken)
		switch {
		case x.fault != "":
		case x.person.Name == "":
			x.fault = "name is missing"
		case token != "" && seen[token] > 0:
			x.fault = fmt.Sprintf("idToken stands in line %d already", seen[token])
		case token != "":
			seen[token] = r.line
		}
		x.someone = cmp.Or(x.id, oneOf(x.person.Name, x.person.Mail))
		out = append(out, x)
	})
	return out, faults
}

// peopleImport is one import at work.
type peopleImport struct {
	s                 *Server
	by                store.Actor
	dry               bool
	groups, companies map[string]string // ids by name
	people            map[string]string // ids by what makes rows one person
	before            map[string]string // ids of those who are there, by name and mail
}

// oneOf is what makes two people one where no id says so.
func oneOf(name, mail string) string { return strings.ToLower(name + "\x00" + mail) }

func (s *Server) importPeople(ctx context.Context, in *importInput) (*importOutput, error) {
	rows, faults := parsePeople(in.RawBody)
	if len(faults) > 0 {
		return nil, problemf(http.StatusUnprocessableEntity, "nothing was imported", faults...)
	}
	if !scope(ctx, CredentialsWrite).All() && slices.ContainsFunc(rows, func(x *importedRow) bool { return x.credential.IDToken != "" }) {
		return nil, problemf(http.StatusForbidden, "your role does not decide about credentials")
	}
	groups, err := s.o.Store.Groups(ctx)
	if err != nil {
		return nil, err
	}
	companies, err := s.o.Store.Companies(ctx)
	if err != nil {
		return nil, err
	}
	there, err := s.o.Store.People(ctx, store.PeopleQuery{Limit: store.MaxPeople})
	if err != nil {
		return nil, err
	}
	x := peopleImport{
		s: s, by: who(ctx).actor(), dry: in.DryRun, groups: idsByName(groups), companies: idsByName(companies),
		people: make(map[string]string), before: make(map[string]string, len(there)),
	}
	for i := range there {
		x.before[oneOf(there[i].Name, there[i].Mail)] = there[i].ID
	}
	out := ImportResult{Rows: make([]ImportRow, 0, len(rows))}
	for _, r := range rows {
		row := ImportRow{Line: r.line, ID: strings.TrimSpace(r.person.Name + " " + tokenShown(r)), Status: "failed", Reason: r.fault}
		if r.fault == "" {
			var err error
			if row.Status, err = x.one(ctx, r); err != nil {
				row.Status, row.Reason = "failed", reason(err)
			}
		}
		switch row.Status {
		case "created":
			out.Created++
		case "exists":
			out.Exist++
		case "failed":
			out.Failed++
		}
		out.Rows = append(out.Rows, row)
	}
	return &importOutput{Body: out}, nil
}

func tokenShown(r *importedRow) string {
	if r.credential.Kind == access.PIN {
		return ""
	}
	return r.credential.IDToken
}

func idsByName(list []store.Named) map[string]string {
	out := make(map[string]string, len(list))
	for _, x := range list {
		out[strings.ToLower(x.Name)] = x.ID
	}
	return out
}

// named finds a group or company, or makes it.
func (x *peopleImport) named(ctx context.Context, ids map[string]string, name string, save func(context.Context, store.Actor, store.Named) (*store.Named, error)) (string, error) {
	if id, ok := ids[strings.ToLower(name)]; ok || x.dry {
		return id, nil
	}
	made, err := save(ctx, x.by, store.Named{Name: name})
	if err != nil {
		return "", err
	}
	ids[strings.ToLower(name)] = made.ID
	return made.ID, nil
}

// one takes over a row, and says what became of it.
func (x *peopleImport) one(ctx context.Context, r *importedRow) (string, error) {
	st := x.s.o.Store
	status := "exists"
	if x.dry {
		// What would be refused is refused now, and nothing is written.
		if err := st.CheckPerson(r.person); err != nil {
			return "", err
		}
	}
	id, known := x.people[r.someone]
	if !known {
		id, known = x.there(r)
	}
	if !known {
		status = "created"
		p := r.person
		for _, g := range r.groups {
			gid, err := x.named(ctx, x.groups, g, st.SaveGroup)
			if err != nil {
				return "", err
			}
			p.Groups = append(p.Groups, gid)
		}
		if r.company != "" {
			cid, err := x.named(ctx, x.companies, r.company, st.SaveCompany)
			if err != nil {
				return "", err
			}
			p.Company = cid
		}
		if !x.dry {
			saved, err := st.SavePerson(ctx, x.by, p)
			if err != nil {
				return "", err
			}
			id = saved.ID
		}
	}
	x.people[r.someone] = id
	// A PIN is never in an export, and a pass is made for a work order.
	if r.credential.IDToken != "" && r.credential.Kind != access.Pass {
		made, err := x.credential(ctx, r, id)
		if err != nil {
			return "", err
		}
		if made {
			status = "created"
		}
	}
	if x.dry && status == "created" {
		status = "checked"
	}
	return status, nil
}

// there finds whom a row is about among those who are there already.
func (x *peopleImport) there(r *importedRow) (string, bool) {
	if _, ok := x.s.o.Store.PersonOf(r.id); ok {
		return r.id, true
	}
	id, ok := x.before[oneOf(r.person.Name, r.person.Mail)]
	return id, ok
}

func (x *peopleImport) credential(ctx context.Context, r *importedRow, person string) (bool, error) {
	st, in := x.s.o.Store, r.credential
	if x.dry {
		return st.CheckCredential(ctx, in)
	}
	in.Person = person
	_, err := st.PutCredential(ctx, x.by, "", in)
	if errors.Is(err, store.ErrExists) {
		return false, nil
	}
	return err == nil, err
}

// exportPeople writes people and their credentials as the import reads them. No
// PIN is in it, and what a spreadsheet would run is text.
func (s *Server) exportPeople(w http.ResponseWriter, r *http.Request) {
	ctx := r.Context()
	st := s.o.Store
	groups, err := st.Groups(ctx)
	if err != nil {
		writeProblem(w, s.problem(ctx, err))
		return
	}
	companies, err := st.Companies(ctx)
	if err != nil {
		writeProblem(w, s.problem(ctx, err))
		return
	}
	names := make(map[string]string)
	for _, x := range slices.Concat(groups, companies) {
		names[x.ID] = x.Name
	}
	tokens := scope(ctx, CredentialsRead).All()
	h := w.Header()
	h.Set("Content-Type", "text/csv; charset=utf-8")
	h.Set("Content-Disposition", `attachment; filename="people.csv"`)
	h.Set("Cache-Control", "no-store")
	out := csv.NewWriter(w)
	out.UseCRLF = true
	_ = out.Write(peopleColumns()) // errors are those of Flush
	q := store.PeopleQuery{Limit: 500}
	for {
		page, err := st.People(ctx, q)
		if err != nil {
			s.log.ErrorContext(ctx, "export of people broke off", "err", err)
			panic(http.ErrAbortHandler) // half a file must not look like a whole one
		}
		for i := range page {
			if err := s.exportPerson(ctx, out, &page[i], names, tokens); err != nil {
				s.log.ErrorContext(ctx, "export of people broke off", "err", err)
				panic(http.ErrAbortHandler)
			}
		}
		if len(page) < q.Limit {
			break
		}
		q.AfterName, q.AfterID = page[len(page)-1].Name, page[len(page)-1].ID
	}
	out.Flush()
}

func (s *Server) exportPerson(ctx context.Context, out *csv.Writer, p *store.Person, names map[string]string, tokens bool) error {
	day := func(at time.Time) string {
		if at.IsZero() {
			return ""
		}
		return at.UTC().Format(time.RFC3339)
	}
	var groups []string
	for _, g := range p.Groups {
		groups = append(groups, names[g])
	}
	suspended := ""
	if p.Suspended {
		suspended = "true"
	}
	row := []string{p.ID, p.Name, names[p.Company], strings.Join(groups, groupsBetween), p.Mail, p.Phone, day(p.Until), suspended, p.Note}
	write := func(more ...string) error {
		cells := slices.Concat(row, more)
		for i := range cells {
			cells[i] = guarded(cells[i])
		}
		return out.Write(cells)
	}
	var cards []*store.Credential
	if tokens {
		var err error
		if cards, err = s.o.Store.CredentialsOf(ctx, p.ID); err != nil {
			return err
		}
		// Who has a duress code is nothing for a file that lies about.
		cards = slices.DeleteFunc(cards, func(c *store.Credential) bool { return c.Kind == access.Duress })
	}
	if len(cards) == 0 {
		return write("", "", "", "", "")
	}
	for _, c := range cards {
		shape := credentialShape(c)
		if err := write(string(c.Kind), shape.IDToken, c.Label, string(c.Status), day(c.ExpiresAt)); err != nil {
			return err
		}
	}
	return nil
}
