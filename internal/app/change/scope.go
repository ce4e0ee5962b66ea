package change

import (
	"context"
	"log/slog"

	"github.com/wormsweep/wormsweep/internal/app/settings"
)

// rescope asks how much of the repository is looked at.
func (w *work) rescope(ctx context.Context) {
	w.scope = settings.Scope{Checks: true}
	if w.h.opt.Scope == nil {
		return
	}
	var err error
	if w.scope, err = w.h.opt.Scope(ctx, w.client, w.name); err != nil {
		w.h.opt.Log.LogAttrs(ctx, slog.LevelWarn, "more may be looked at than was asked for", slog.String("repository", w.name), slog.String("error", err.Error()))
	}
}

// left reports whether the organisation left a ref out: of a repository that it excluded, or of a
// branch that is none of those it names.
func (w *work) left(ctx context.Context, ref string) bool {
	if w.scope.Excluded == nil && w.scope.Ref(ref) {
		return false
	}
	w.h.opt.Log.LogAttrs(ctx, slog.LevelInfo, "not looked at, by the organisation's settings", slog.String("repository", w.name), slog.String("ref", ref))
	return true
}

// excluded reports whether the organisation left the repository out.
func (w *work) excluded(ctx context.Context) bool { return w.scope.Excluded != nil && w.left(ctx, "") }
