"""The callhopper server: services ask, SQL decides and remembers."""
