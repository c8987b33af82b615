"""Whether a student gains by teachers: the same network trained in several ways, with errors."""
