package cli

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

// helpWidth is the width of a terminal that everybody has.
const helpWidth = 80

// printHelp writes the help of a command: one screen of it.
func printHelp(cmd *cobra.Command, _ []string) {
	w := cmd.OutOrStdout()
	fmt.Fprintf(w, "%s\n\nUsage:\n  %s\n", strings.TrimSpace(cmp.Or(cmd.Long, cmd.Short)), usageLine(cmd))
	if cmd.HasAvailableSubCommands() {
		fmt.Fprint(w, "\nCommands:\n")
		for _, c := range cmd.Commands() {
			if c.IsAvailableCommand() {
				fmt.Fprintf(w, "  %-10s %s\n", c.Name(), c.Short)
			}
		}
	}
	cmd.InitDefaultHelpFlag()
	cmd.InitDefaultVersionFlag()
	for flag, usage := range map[string]string{"help": "print this help", "version": "print the version"} {
		if f := cmd.Flags().Lookup(flag); f != nil {
			f.Usage = usage
		}
	}
	fmt.Fprintf(w, "\nFlags:\n%s", cmd.LocalFlags().FlagUsagesWrapped(helpWidth))
	if cmd.HasAvailableSubCommands() {
		fmt.Fprintf(w, "\n\"%s COMMAND --help\" says how each is used.\n", cmd.CommandPath())
	}
}

// usageLine is the command as it is typed, flags before arguments.
func usageLine(cmd *cobra.Command) string {
	words := "COMMAND"
	if !cmd.HasSubCommands() {
		_, arguments, _ := strings.Cut(cmd.Use, " ")
		words = strings.TrimSpace("[FLAG]... " + arguments)
	}
	return cmd.CommandPath() + " " + words
}

// helpCommand prints the help of the command that its arguments name.
func helpCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "help [COMMAND]...",
		Short: "Print the help of a command",
		RunE: func(cmd *cobra.Command, args []string) error {
			named, rest, err := cmd.Root().Find(args)
			if err != nil || len(rest) > 0 {
				return fmt.Errorf("no help for %q: there is no such command", strings.Join(args, " "))
			}
			named.HelpFunc()(named, nil)
			return nil
		},
	}
}
