package appcli

import (
	"context"
	"errors"
	"io"
	"log/slog"

	"github.com/spf13/cobra"

	"github.com/wormsweep/wormsweep/internal/app"
	"github.com/wormsweep/wormsweep/internal/ghclient"
)

func serveCommand() *cobra.Command {
	var file, listen string
	cmd := &cobra.Command{
		Use:   "serve --config FILE",
		Short: "Receive GitHub's deliveries and act on them, until a signal",
		Args:  nothing,
		RunE: func(cmd *cobra.Command, _ []string) error {
			config, err := readConfig(file)
			if err != nil {
				return err
			}
			if listen != "" {
				config.Listen = listen
			}
			return serve(cmd.Context(), config, cmd.ErrOrStderr())
		},
	}
	configFlag(cmd, &file)
	cmd.Flags().StringVar(&listen, "listen", "", "take deliveries at `ADDRESS` instead of the configuration's: for a second process of one machine")
	return cmd
}

func serve(ctx context.Context, config app.Config, stderr io.Writer) error {
	log := newLogger(config, stderr)
	a, err := app.New(ctx, config, log)
	var unusable *app.ConfigError
	switch {
	case errors.As(err, &unusable):
		return exitError{exitUsage, err}
	case err != nil:
		return exitError{exitNot, err}
	}
	err = a.Serve(ctx)
	if err = errors.Join(err, a.Close()); err != nil {
		return exitError{exitNot, err}
	}
	return nil
}

// newLogger writes lines that hold no secret by the look of it, whoever logs them.
func newLogger(config app.Config, stderr io.Writer) *slog.Logger {
	opt := &slog.HandlerOptions{Level: config.LogLevel, ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Value.Kind() == slog.KindString {
			a.Value = slog.StringValue(ghclient.Redact(a.Value.String()))
		}
		return a
	}}
	if config.LogText {
		return slog.New(slog.NewTextHandler(stderr, opt))
	}
	return slog.New(slog.NewJSONHandler(stderr, opt))
}
