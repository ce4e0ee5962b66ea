// Package planner gathers the facts of plans and has package respond make them: what the inventory
// holds, what the catalogue lists, what the policy says is ours, and what registries say is
// published.
//
// A registry that does not answer leaves a gap in the plan, in words that are the same each time:
// the same facts are the same plan. Nothing is written anywhere but into what a Kept was given to
// keep answers in.
package planner
