"""Physics figures of MET estimates on plain arrays: resolution, bootstrap errors, trigger."""
