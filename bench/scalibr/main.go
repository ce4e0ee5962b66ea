// Command scalibr runs the extraction of osv-scalibr over one folder, offline, with the
// plugins for the formats that Wormsweep reads too. It is what `make bench` compares the
// sweeper with.
//
//	scalibr FOLDER RESULT.textproto
//
// It links only those plugins, so that it starts no slower than it must.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/google/osv-scalibr/binary/proto"
	"github.com/google/osv-scalibr/binary/proto/config_go_proto"
	"github.com/google/osv-scalibr/extractor/filesystem"
	"github.com/google/osv-scalibr/extractor/filesystem/language/golang/gomod"
	"github.com/google/osv-scalibr/extractor/filesystem/language/golang/vendormodules"
	"github.com/google/osv-scalibr/extractor/filesystem/language/javascript/bunlock"
	"github.com/google/osv-scalibr/extractor/filesystem/language/javascript/packagelockjson"
	"github.com/google/osv-scalibr/extractor/filesystem/language/javascript/pnpmlock"
	"github.com/google/osv-scalibr/extractor/filesystem/language/javascript/yarnlock"
	"github.com/google/osv-scalibr/extractor/filesystem/language/python/pdmlock"
	"github.com/google/osv-scalibr/extractor/filesystem/language/python/pipfilelock"
	"github.com/google/osv-scalibr/extractor/filesystem/language/python/poetrylock"
	"github.com/google/osv-scalibr/extractor/filesystem/language/python/pylock"
	"github.com/google/osv-scalibr/extractor/filesystem/language/python/requirements"
	"github.com/google/osv-scalibr/extractor/filesystem/language/python/uvlock"
	scalibrfs "github.com/google/osv-scalibr/fs"
	"github.com/google/osv-scalibr/stats"
)

var plugins = []func(*config_go_proto.PluginConfig) (filesystem.Extractor, error){
	packagelockjson.New, yarnlock.New, pnpmlock.New, bunlock.New,
	requirements.New, poetrylock.New, pipfilelock.New, pdmlock.New, uvlock.New, pylock.New,
	gomod.New, vendormodules.New,
}

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: scalibr FOLDER RESULT.textproto")
		os.Exit(2)
	}
	if err := extract(context.Background(), os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "scalibr:", err)
		os.Exit(1)
	}
}

func extract(ctx context.Context, folder, result string) error {
	config := &filesystem.Config{
		ScanRoots: scalibrfs.RealFSScanRoots(folder),
		Stats:     stats.NoopCollector{},
	}
	for _, plugin := range plugins {
		extractor, err := plugin(&config_go_proto.PluginConfig{})
		if err != nil {
			return err
		}
		config.Extractors = append(config.Extractors, extractor)
	}
	found, _, err := filesystem.Run(ctx, config)
	if err != nil {
		return err
	}
	message, err := proto.InventoryToProto(&found)
	if err != nil {
		return err
	}
	return proto.Write(result, message)
}
