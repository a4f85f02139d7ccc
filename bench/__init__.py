"""Measure what the README claims: `python -m bench` (see bench/README.md)."""
