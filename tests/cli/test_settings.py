"""Settings: what is read, what is refused, what is shown."""

from pathlib import Path

import pytest

from server.settings import SettingError, Settings


def test_nothing_set_gives_the_defaults():
    assert Settings.from_environment({}) == Settings()


def test_values_are_read_and_empty_ones_ignored():
    settings = Settings.from_environment(
        {
            "CALLHOPPER_DATA": "/srv/data",
            "CALLHOPPER_POOL_SIZE": "20",
            "CALLHOPPER_LOCK_TIMEOUT": "0.5",
            "CALLHOPPER_REUSE_PORT": "true",
            "DATABASE_URL": "",
        }
    )
    assert settings.data_dir == Path("/srv/data")
    assert settings.pool_size == 20
    assert settings.lock_timeout == 0.5
    assert settings.reuse_port is True
    assert settings.database_url is None


def test_a_command_line_wins():
    given = {"CALLHOPPER_LISTEN": "127.0.0.1:1"}
    assert Settings.from_environment(given, listen="127.0.0.1:2").listen == "127.0.0.1:2"
    assert Settings.from_environment(given, listen=None).listen == "127.0.0.1:1"


@pytest.mark.parametrize(
    ("variable", "value", "reason"),
    [
        ("CALLHOPPER_LISTEN", "0.0.0.0:50051", "must be a loopback address"),
        ("CALLHOPPER_LISTEN", "[::]:50051", "must be a loopback address"),
        ("CALLHOPPER_LISTEN", "example.org:50051", "must be a loopback address"),
        ("CALLHOPPER_LISTEN", "localhost.example.org:1", "must be a loopback address"),
        ("CALLHOPPER_LISTEN", "127.0.0.1", "must be HOST:PORT"),
        ("CALLHOPPER_LISTEN", "127.0.0.1:65536", "must be HOST:PORT"),
        ("CALLHOPPER_SCHEMA", "a; drop schema b", "must be a lower-case SQL name"),
        ("CALLHOPPER_SCHEMA", "Dialer", "must be a lower-case SQL name"),
        ("CALLHOPPER_SCHEMA", "pg_catalog", "must be a lower-case SQL name"),
        ("CALLHOPPER_POOL_SIZE", "0", "must be a whole number from 1 to 1000"),
        ("CALLHOPPER_POOL_SIZE", "many", "must be a whole number from 1 to 1000"),
        ("CALLHOPPER_POOL_SIZE", "1e2", "must be a whole number from 1 to 1000"),
        ("CALLHOPPER_LOCK_TIMEOUT", "nan", "must be a number of seconds"),
        ("CALLHOPPER_LOCK_TIMEOUT", "5s", "must be a number of seconds from 0.01 to 600"),
        ("CALLHOPPER_LOG_LEVEL", "loud", "must be one of debug, info, warning, error"),
        ("CALLHOPPER_REUSE_PORT", "yes", "must be one of true, false"),
        ("CALLHOPPER_WAITING_CLAIMS", "4000", "must be below CALLHOPPER_CONCURRENT_CALLS=4000"),
    ],
)
def test_a_bad_value_names_variable_value_and_reason(variable, value, reason):
    with pytest.raises(SettingError) as caught:
        Settings.from_environment({variable: value})
    assert str(caught.value).startswith(f"{variable}={value}: {reason}")


@pytest.mark.parametrize("address", ["127.0.0.1:0", "127.9.9.9:1", "[::1]:50051", "localhost:80"])
def test_loopback_addresses_are_accepted(address):
    assert Settings.from_environment({"CALLHOPPER_LISTEN": address}).listen == address


@pytest.mark.parametrize(
    "dsn",
    [
        "postgresql://dialer:geheim@db/x",
        "host=db user=dialer password=geheim dbname=x",
        "host=db password='geh eim geheim' dbname=x",
        "postgresql://db/x?user=dialer&password=geheim&sslmode=require",
        "postgresql://dialer:p:geheim@db/x",
        "postgresql://dialer:p/geheim@db/x",
        "postgresql://dialer:p@geheim@db/x",
    ],
)
def test_passwords_are_masked(dsn):
    environment = {"DATABASE_URL": dsn}
    rows = Settings.from_environment(environment).describe(environment)
    row = next(row for row in rows if row.variable == "DATABASE_URL")
    assert "geheim" not in row.value
    assert "***" in row.value
    assert row.source == "environment"


def test_every_setting_is_explained():
    rows = Settings().describe({})
    assert all(row.explanation and row.source == "default" for row in rows)
    assert len({row.variable for row in rows}) == len(rows)


def test_a_value_from_elsewhere_says_so():
    (row,) = [row for row in Settings(pool_size=3).describe({}) if row.value == "3"]
    assert (row.variable, row.source) == ("CALLHOPPER_POOL_SIZE", "command line")
