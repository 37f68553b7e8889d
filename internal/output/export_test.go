package output

// Stir has a service look at what is due, where a test moves its clock.
func (s *Service) Stir() { s.stir() }

// Idle reports that nothing is due and nothing is being done.
func (s *Service) Idle() bool {
	at := s.due()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, u := range s.units {
		if u.busy {
			return false
		}
	}
	return at.IsZero() || at.After(s.o.Now())
}
