package main

import (
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"

	"github.com/wormsweep/wormsweep/internal/app/manifest"
	"github.com/wormsweep/wormsweep/internal/app/setup"
	"github.com/wormsweep/wormsweep/internal/githubtest"
)

// configure writes what "app setup" would, for the App of the simulator, over what an earlier run
// wrote. The App may all that its largest tier asks for.
func (set *settings) configure(s *githubtest.Server) error {
	if set.app == "" {
		return nil
	}
	if set.webhook != "" || set.webhookSecret != "" || set.keyFile != "" {
		return fmt.Errorf("-app has a webhook and a key of its own")
	}
	if err := os.MkdirAll(set.app, 0o700); err != nil {
		return err
	}
	files := setup.Files{Listen: set.appListen}
	if set.issues != "" {
		files.Issues = set.org + "/" + set.issues
	}
	set.keyFile = filepath.Join(set.app, setup.KeyFile)
	set.webhook, set.webhookSecret = "http://"+set.appListen+"/webhook", filepath.Join(set.app, setup.SecretFile)
	for path, text := range map[string]string{
		set.webhookSecret:                        rand.Text() + "\n",
		filepath.Join(set.app, setup.ConfigFile): files.Config(s.App().ID, s.URL(), set.org) + "registries: none # nobody outside is asked in a demonstration\n",
	} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			return err
		}
	}
	granted := map[string]string{}
	for _, p := range manifest.Blast.Permissions() {
		granted[p.Name] = p.Level
	}
	in := s.Installation()
	s.Update(func() { in.Permissions = granted })
	return nil
}

// events are those that the App of -app subscribes to.
func (set *settings) events() []string {
	if set.app == "" {
		return nil
	}
	var names []string
	for _, e := range manifest.Detect.Events() {
		names = append(names, e.Name)
	}
	return names
}
