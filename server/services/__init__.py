"""One file a gRPC service: check, convert, one transaction, named SQL, convert."""
