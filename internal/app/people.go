package app

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/chargewatch/chargewatch/internal/config"
	"github.com/chargewatch/chargewatch/internal/coredb"
	"github.com/chargewatch/chargewatch/internal/store"
)

// errNoFolder is returned where no server has run yet.
var errNoFolder = errors.New("holds no core.db: --data names the data folder, chargewatch serve makes it")

// openCore opens the core.db that a server has made.
func openCore(ctx context.Context, folder string) (*coredb.DB, error) {
	if _, err := os.Stat(filepath.Join(folder, coredb.FileName)); errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s %w", folder, errNoFolder)
	}
	return coredb.Open(ctx, folder)
}

// makeCore opens core.db and makes what is missing of the data folder.
func makeCore(ctx context.Context, folder string) (*coredb.DB, error) {
	if err := os.MkdirAll(folder, 0o750); err != nil {
		return nil, fmt.Errorf("make the data folder: %w", err)
	}
	return coredb.Open(ctx, folder)
}

// withStore runs fn on the store of a data folder, beside a running server or
// without one.
func withStore(ctx context.Context, open func(context.Context, string) (*coredb.DB, error), c config.Config, fn func(*store.Store) error) error {
	db, err := open(ctx, c.Data)
	if err != nil {
		return err
	}
	st, err := store.Open(ctx, store.Options{DB: db})
	if err != nil {
		return errors.Join(err, db.Close())
	}
	return errors.Join(fn(st), db.Close())
}

// verb takes the word after the command.
func verb(args []string, known ...string) (string, []string, error) {
	if asksHelp(args) {
		return "", []string{"--help"}, nil
	}
	if len(args) == 0 {
		return "", nil, misused("say what to do: %s", strings.Join(known, ", "))
	}
	if !slices.Contains(known, args[0]) {
		return "", nil, misused("unknown word %q; there is %s", args[0], strings.Join(known, ", "))
	}
	return args[0], args[1:], nil
}

func tokenCommand(ctx context.Context, args []string, s streams) error {
	what, args, err := verb(args, "create", "list", "delete")
	if err != nil {
		return err
	}
	var name, role, id string
	var sites []string
	var life time.Duration
	c, rest, err := load("token", args, s, func(set *flag.FlagSet) {
		set.StringVar(&name, "name", "", "`NAME` that says what the token is for")
		set.StringVar(&role, "role", "", "`ROLE` it has: "+roles())
		set.StringVar(&id, "id", "", "`ID` of the token to delete; token list shows it")
		set.DurationVar(&life, "expires-in", 0, "`TIME` it is good for, such as 720h; without it for ever")
		set.Func("site", "`ID` of a site it is limited to; may be repeated", func(v string) error { sites = append(sites, v); return nil })
	})
	if err != nil {
		return err
	}
	if err := only(rest); err != nil {
		return err
	}
	switch {
	case what == "create" && name == "":
		return misused("token create needs a --name")
	case what == "create" && !slices.Contains(store.Roles(), store.Role(role)):
		return misused("%q is no --role; there is %s", role, roles())
	case what == "create" && life < 0:
		return misused("--expires-in %s is over already", life)
	case what == "delete" && id == "":
		return misused("token delete needs an --id; token list shows them")
	}
	open := openCore
	if what == "create" { // the first token may be there before the server
		open = makeCore
	}
	return withStore(ctx, open, c, func(st *store.Store) error {
		switch what {
		case "list":
			tokens, err := st.APITokens(ctx, "", 1000)
			if err != nil {
				return err
			}
			for _, t := range tokens {
				fmt.Fprintf(s.out, "%s\t%s\t%s\n", t.ID, t.Name, describe(t.Grants))
			}
			return nil
		case "delete":
			return st.DeleteAPIToken(ctx, store.System, id)
		}
		for _, site := range sites {
			if _, ok := st.Site(site); !ok {
				fmt.Fprintf(s.err, "chargewatch token: there is no site %q yet\n", site)
			}
		}
		t := store.APIToken{Name: name, Grants: []store.Grant{{Role: store.Role(role), Sites: sites}}}
		if len(sites) == 0 {
			t.Grants[0].Sites = []string{store.AllSites}
		}
		if life > 0 {
			t.ExpiresAt = time.Now().Add(life)
		}
		_, secret, err := st.CreateAPIToken(ctx, store.System, t)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintln(s.out, secret)
		return err
	})
}

// roles lists the roles for people.
func roles() string {
	var list []string
	for _, r := range store.Roles() {
		list = append(list, string(r))
	}
	return strings.Join(list, ", ")
}

func describe(grants []store.Grant) string {
	var parts []string
	for _, g := range grants {
		parts = append(parts, string(g.Role)+" at "+strings.Join(g.Sites, ","))
	}
	return strings.Join(parts, "; ")
}

func userCommand(ctx context.Context, args []string, s streams) error {
	what, args, err := verb(args, "link", "list")
	if err != nil {
		return err
	}
	var name string
	c, rest, err := load("user", args, s, func(set *flag.FlagSet) { set.StringVar(&name, "name", "", "`NAME` of the user the link is for") })
	if err != nil {
		return err
	}
	if err := only(rest); err != nil {
		return err
	}
	if what == "link" && name == "" {
		return misused("user link needs a --name; user list shows them")
	}
	return withStore(ctx, openCore, c, func(st *store.Store) error {
		if what == "list" {
			users, err := st.Users(ctx, "", 1000)
			if err != nil {
				return err
			}
			for _, u := range users {
				fmt.Fprintf(s.out, "%s\t%s\n", u.Name, describe(u.Grants))
			}
			return nil
		}
		u, err := st.UserByName(ctx, name)
		if err != nil {
			return fmt.Errorf("user %q: %w", name, err)
		}
		secret, err := st.CreateLink(ctx, store.System, u.ID)
		if err != nil {
			return err
		}
		fmt.Fprintln(s.err, "To be opened once, behind the address of the server:")
		_, err = fmt.Fprintf(s.out, "/signin?token=%s\n", secret)
		return err
	})
}

func stationCommand(ctx context.Context, args []string, s streams) error {
	_, args, err := verb(args, "list")
	if err != nil {
		return err
	}
	c, rest, err := load("station", args, s, nil)
	if err != nil {
		return err
	}
	if err := only(rest); err != nil {
		return err
	}
	return withStore(ctx, openCore, c, func(st *store.Store) error {
		for _, e := range st.Stations() {
			fmt.Fprintf(s.out, "%s\t%s\t%s\tsecurity profile %d\n", e.ID, e.SiteID, e.Onboarding, e.Profile)
		}
		return nil
	})
}
