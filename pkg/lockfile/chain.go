package lockfile

// Chain is one shortest way from the project to the package with index i: indices of
// Packages that begin with a direct dependency and end with i itself. It is nil where
// the file's edges do not lead there, or were not asked for.
func (f *File) Chain(i int) []int {
	next := make([]int32, len(f.Packages)) // the package that j leads to on the way to i; -1 unvisited
	for j := range next {
		next[j] = -1
	}
	next[i] = int32(i)
	queue := []int32{int32(i)}
	for len(queue) > 0 {
		j := queue[0]
		queue = queue[1:]
		if f.Packages[j].Direct == Yes {
			chain := []int{int(j)}
			for j != int32(i) {
				j = next[j]
				chain = append(chain, int(j))
			}
			return chain
		}
		for _, by := range f.Packages[j].RequiredBy {
			if next[by] < 0 {
				next[by] = j
				queue = append(queue, by)
			}
		}
	}
	return nil
}
