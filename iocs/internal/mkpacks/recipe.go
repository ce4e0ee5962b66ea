package main

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"time"

	strict "github.com/go-json-experiment/json"
	"go.yaml.in/yaml/v3"

	"github.com/wormsweep/wormsweep/pkg/ecosystem"
	"github.com/wormsweep/wormsweep/pkg/ioc"
)

//go:embed recipe.yaml
var recipeText []byte

// recipe is recipe.yaml.
type recipe struct {
	Sources []source     `json:"sources"`
	Packs   []packRecipe `json:"packs"`
}

// source is an input, or somebody whom an input cites.
type source struct {
	ID          string              `json:"id"`
	File        string              `json:"file"` // below -sources, a folder too; "" for a source that is cited only
	Repository  string              `json:"repository"`
	Commit      string              `json:"commit"`
	Licence     string              `json:"licence"`
	Attribution string              `json:"attribution"`
	Kin         string              `json:"kin"`      // sources of one kin copy each other and confirm nothing to each other
	Official    bool                `json:"official"` // the registry or OSV itself: confirms alone
	Ecosystem   ecosystem.Ecosystem `json:"ecosystem"`
	Cites       []string            `json:"cites"` // how other inputs call it
	Cited       bool                `json:"cited"` // its rows are the statements of those that they cite
}

// packRecipe makes one pack.
type packRecipe struct {
	ID          string          `json:"id"`
	Aliases     []string        `json:"aliases"`
	Title       string          `json:"title"`
	Actors      []string        `json:"actors"`
	Description string          `json:"description"`
	FirstSeen   string          `json:"first_seen"`
	LastSeen    string          `json:"last_seen"`
	Status      ioc.PackStatus  `json:"status"`
	Severity    ioc.Severity    `json:"severity"`
	References  []ioc.Reference `json:"references"`
	Related     []string        `json:"related"`
	Revision    int             `json:"revision"`
	Modified    time.Time       `json:"modified"`

	Take   []take              `json:"take"`
	Adjust []adjust            `json:"adjust"`
	Add    []addition          `json:"add"`
	Safe   map[string][]string `json:"safe"` // known-good versions by package name
	Drop   []drop              `json:"drop"`
	// Windows give packages a window of their own, by name; the first that fits.
	Windows []window `json:"windows"`
	// Repairs are the decisions that no row shows.
	Repairs []ioc.Repair `json:"repairs"`
}

// take takes entries of a source into the pack. Every condition that is given must hold.
type take struct {
	Source   string   `json:"source"`
	Sections []string `json:"sections"`  // headings that the entry stands under
	Files    []string `json:"files"`     // base names, of a folder
	Campaign []string `json:"campaign"`  // what the row says of its campaign
	Names    []string `json:"names"`     // packages: exact, or "@scope/*"
	Except   []string `json:"except"`    // packages: exact, or "@scope/*"
	OnlyWith []string `json:"only_with"` // sources that must name the package and version too
	NotIn    []string `json:"not_in"`    // packs above, which took what is theirs
	// Confirm adds the source to what the takes above named, and nothing else.
	Confirm bool `json:"confirm"`
	// Withdrawn takes what the source withdrew; every other take leaves that out.
	Withdrawn bool `json:"withdrawn"`
	// Only packages, for sources of which the other indicators are taken from elsewhere.
	PackagesOnly bool `json:"packages_only"`
}

// adjust changes an indicator that a list gives in a shape of its own, or drops it.
type adjust struct {
	Value string `json:"value"` // the observable as the list writes it; of a digest its first 8 digits do
	// Drop is the rule and reason for leaving the row out.
	Drop string `json:"drop"`
	// Set are fields of the indicator that replace those of the list.
	Set json.RawMessage `json:"set"`
	// Requires are values of other rows, ids or types.
	Requires []string `json:"requires"`
	// Rule names the reason where the change is a repair of the row, not only a selector for it.
	Rule string `json:"rule"`
}

// addition is an indicator that no row gives as it stands.
type addition struct {
	Indicator json.RawMessage `json:"indicator"`
	Requires  []string        `json:"requires"`
	Sources   []string        `json:"sources"`
}

// drop leaves a package or a version of it out.
type drop struct {
	Source   string   `json:"source"` // whose statement it is
	Name     string   `json:"name"`
	Versions []string `json:"versions"` // all when empty
	Rule     string   `json:"rule"`
	Made     string   `json:"made"`
}

type window struct {
	Names []string `json:"names"`
	From  string   `json:"from"`
	Until string   `json:"until"`
}

// readRecipe reads the recipe strictly: an unknown key is an error.
func readRecipe(text []byte) (recipe, error) {
	var tree any
	if err := yaml.Unmarshal(text, &tree); err != nil {
		return recipe{}, fmt.Errorf("recipe.yaml: %w", err)
	}
	plain, err := json.Marshal(tree)
	if err != nil {
		return recipe{}, fmt.Errorf("recipe.yaml: %w", err)
	}
	var r recipe
	if err := strict.Unmarshal(plain, &r, strict.RejectUnknownMembers(true)); err != nil {
		return recipe{}, fmt.Errorf("recipe.yaml: %w", err)
	}
	return r, nil
}
