"""Turn rows into messages and messages into parameters: one module a noun."""
