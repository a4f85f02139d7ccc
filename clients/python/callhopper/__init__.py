"""Python client of callhopper: generated messages and stubs live in `callhopper.v1`."""
