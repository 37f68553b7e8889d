package journal

// AfterPublish sets a failpoint between a publish and the answers. Set it
// before Run.
func AfterPublish(j *Journal, f func()) { j.afterPublish = f }
