"""Messages and stubs generated from proto/callhopper/v1: never edited."""
