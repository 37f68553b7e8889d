// Command opa answers the questions of the decide benchmark with Open Policy
// Agent, embedded and prepared as its documentation advises. It is a module of
// its own: the product does not depend on it.
//
// It reads the operator's rows and the questions from the file it is given. For
// each line on its input it answers all questions once and prints what it said,
// 1 or 0 a question, and how long each took in nanoseconds.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"time"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/rego"
	"github.com/open-policy-agent/opa/v1/storage/inmem"
)

// Rows are found by site, people by id, so that a question costs by what
// concerns it: the same slicing that Chargewatch does.
const policy = `package door

default allow := false

allow if {
	not locked
	some row in data.sites[input.site]
	about(row)
	named(row)
	open(row)
}

allow if {
	not locked
	some row in data.everywhere
	about(row)
	named(row)
	open(row)
}

locked if {
	some scenario in data.locked[input.site]
	about(scenario)
}

about(x) if input.kind in x.kinds

about(x) if {
	count(x.kinds) == 0
	input.kind != "evse"
}

person := data.people[input.person]

named(row) if row.anyone
named(row) if row.groups[_] in person.groups
named(row) if person.company in row.companies

open(row) if row.schedule == ""

open(row) if {
	some span in data.schedules[row.schedule]
	input.weekday in span.days
	input.minute >= span.from
	input.minute < span.to
}
`

type doc struct {
	Data      map[string]any   `json:"data"`
	Questions []map[string]any `json:"questions"`
}

type answer struct {
	Allowed string  `json:"allowed"`
	Took    []int64 `json:"took"`
}

func main() {
	log.SetFlags(0)
	if len(os.Args) != 2 {
		log.Fatal("usage: opa FILE")
	}
	if err := run(context.Background(), os.Args[1]); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, path string) error {
	raw, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var d doc
	if err := json.Unmarshal(raw, &d); err != nil {
		return err
	}
	query, err := rego.New(rego.Query("data.door.allow"), rego.Module("door.rego", policy), rego.Store(inmem.NewFromObject(d.Data))).PrepareForEval(ctx)
	if err != nil {
		return err
	}
	// Questions are parsed beforehand, which spares OPA a part of each.
	questions := make([]ast.Value, len(d.Questions))
	for i, q := range d.Questions {
		if questions[i], err = ast.InterfaceToValue(q); err != nil {
			return err
		}
	}
	out := json.NewEncoder(os.Stdout)
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		a := answer{Took: make([]int64, len(questions))}
		said := make([]byte, len(questions))
		for i, q := range questions {
			began := time.Now()
			set, err := query.Eval(ctx, rego.EvalParsedInput(q))
			a.Took[i] = int64(time.Since(began))
			if err != nil {
				return fmt.Errorf("question %d: %w", i, err)
			}
			said[i] = '0'
			if set.Allowed() {
				said[i] = '1'
			}
		}
		a.Allowed = string(said)
		if err := out.Encode(a); err != nil {
			return err
		}
	}
	return nil
}
