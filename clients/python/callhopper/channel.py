"""A gRPC channel with the settings that fit the server: balancing, health checks, retries."""

import json
from typing import Any, Final

import grpc

_SERVICE: Final = "callhopper.v1.DialerService"

# ReportOutcomes is missing on purpose: a report says how long ago the call ended, so it has to be
# made anew for each send. `Worker` does that.
_RETRIED: Final = (
    "ClaimAttempts",
    "BeginAttempts",
    "RenewLeases",
    "ReleaseAttempts",
    "StopWorker",
)

SERVICE_CONFIG: Final[dict[str, Any]] = {
    # pick_first would pin every call to one server; only round_robin looks at health.
    "loadBalancingConfig": [{"round_robin": {}}],
    "healthCheckConfig": {"serviceName": ""},
    "methodConfig": [
        {
            "name": [{"service": _SERVICE, "method": method} for method in _RETRIED],
            "retryPolicy": {
                "maxAttempts": 4,
                "initialBackoff": "0.05s",
                "maxBackoff": "1s",
                "backoffMultiplier": 2,
                "retryableStatusCodes": ["UNAVAILABLE"],
            },
        }
    ],
    "retryThrottling": {"maxTokens": 10, "tokenRatio": 0.1},
}

CHANNEL_OPTIONS: Final[tuple[tuple[str, Any], ...]] = (
    ("grpc.service_config", json.dumps(SERVICE_CONFIG)),
    # The server refuses pings that come more often than every 30 seconds (too_many_pings).
    ("grpc.keepalive_time_ms", 60_000),
    ("grpc.keepalive_timeout_ms", 20_000),
    ("grpc.keepalive_permit_without_calls", 1),
    # Two minutes, gRPC's own limit, is too long for calls that wait to be reported.
    ("grpc.initial_reconnect_backoff_ms", 200),
    ("grpc.min_reconnect_backoff_ms", 1_000),
    ("grpc.max_reconnect_backoff_ms", 5_000),
)


def open_channel(
    address: str, *, credentials: grpc.ChannelCredentials | None = None
) -> grpc.aio.Channel:
    """Open a channel to the servers behind an address.

    Args:
        address: `host:port`, or any gRPC target such as `unix:/run/callhopper.sock`. A name is
            asked for all its addresses, and calls go to them in turn.
        credentials: For TLS. None is plaintext, which a server takes on loopback only.
    """
    scheme = address.partition(":")[0]
    target = address if scheme in {"dns", "unix", "ipv4", "ipv6", "xds"} else f"dns:///{address}"
    if credentials is None:
        return grpc.aio.insecure_channel(target, options=CHANNEL_OPTIONS)
    return grpc.aio.secure_channel(target, credentials, options=CHANNEL_OPTIONS)
