package gitwire

// Objects gives the number of objects of each pack, in the order in which they came.
func Objects(r *Remote) []int {
	var out []int
	for _, p := range r.packs {
		out = append(out, len(p.objects))
	}
	return out
}
