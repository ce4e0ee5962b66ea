package folder

// BeforeLink has f run in each Swap of s, before the new version appears.
func (s *Store) BeforeLink(f func()) { s.beforeLink = f }
