package cli

import (
	"github.com/spf13/cobra"

	"github.com/wormsweep/wormsweep/internal/policy/policyfile"
)

func configCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "config", Short: "Check the policy of what is published"}
	check := &cobra.Command{
		Use:   "check [FILE]",
		Short: "Say what a policy holds, or everything that is wrong with it",
		Long: `Check reads a policy (wormsweep.yaml where none is named) and says in a line
each what it holds. Whatever is wrong is said at once, with its line: a policy
with one fault is not used at all.

Exit codes: 0 it is good; 2 it is not, or cannot be read.`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			name := policyfile.Name
			if len(args) > 0 {
				name = args[0]
			}
			if err := policyfile.Check(cmd.OutOrStdout(), name); err != nil {
				return usage(err)
			}
			return nil
		},
	}
	group(cmd, check)
	return cmd
}
