package app

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/chargewatch/chargewatch/internal/config"
	"github.com/chargewatch/chargewatch/internal/coredb"
	"github.com/chargewatch/chargewatch/internal/store"
)

// withStore runs fn on the store of a data folder, beside a running server or
// without one.
func withStore(ctx context.Context, c config.Config, fn func(*store.Store) error) error {
	db, err := coredb.Open(ctx, c.Data)
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
	if len(args) == 0 || !slices.Contains(known, args[0]) {
		return "", nil, fmt.Errorf("%w: say %s", errUsage, strings.Join(known, " or "))
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
		set.StringVar(&name, "name", "", "what the token is for")
		set.StringVar(&role, "role", "", "role it has")
		set.StringVar(&id, "id", "", "token to delete")
		set.DurationVar(&life, "expires-in", 0, "how long it is good; 0 is for ever")
		set.Func("site", "site it is limited to; may be repeated", func(v string) error { sites = append(sites, v); return nil })
	})
	if err != nil {
		return err
	}
	if err := only(rest); err != nil {
		return err
	}
	return withStore(ctx, c, func(st *store.Store) error {
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
		if name == "" || !slices.Contains(store.Roles(), store.Role(role)) {
			return fmt.Errorf("%w: token create needs --name and a --role of %v", errUsage, store.Roles())
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
	c, rest, err := load("user", args, s, func(set *flag.FlagSet) { set.StringVar(&name, "name", "", "whom the link is for") })
	if err != nil {
		return err
	}
	if err := only(rest); err != nil {
		return err
	}
	return withStore(ctx, c, func(st *store.Store) error {
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
	return withStore(ctx, c, func(st *store.Store) error {
		for _, e := range st.Stations() {
			fmt.Fprintf(s.out, "%s\t%s\t%s\tsecurity profile %d\n", e.ID, e.SiteID, e.Onboarding, e.Profile)
		}
		return nil
	})
}
