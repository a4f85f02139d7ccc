"""Hold the commands of `callhopper`: one module a group, put together in server/__main__.py."""
