"""Everything that can be wrong with the settings, and the one sentence that says so."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Literal

import pytest
from msgspec import Meta, Struct

from gateway.settings import SettingsError, load_settings, read_section

Refused = Callable[..., tuple[str, ...]]


@pytest.fixture
def refused(tmp_path: Path) -> Refused:
    """The sentences with which a tiergate.toml and an environment are refused."""

    def sentences(toml: str | bytes = "", **environ: str) -> tuple[str, ...]:
        (tmp_path / "tiergate.toml").write_bytes(toml.encode() if isinstance(toml, str) else toml)
        with pytest.raises(SettingsError) as caught:
            load_settings(environ, tmp_path)
        return caught.value.violations

    return sentences


@pytest.mark.parametrize(
    ("toml", "sentence"),
    [
        ("[gateway]\nprot = 8000", "gateway.prot is not a setting; did you mean port?"),
        ("[gatewy]", "gatewy is not a setting; did you mean gateway?"),
        ("[nonsense]", "nonsense is not a setting."),
        ("home = '/srv'", "home is not a setting."),
        ("gateway = 3", "gateway must be a table, not 3."),
        ("[gateway]\nport = '8000'", 'gateway.port must be a port from 1 to 65535, or 0 for a free one, not "8000".'),
        ("[gateway]\nport = 65536", "gateway.port must be a port from 1 to 65535, or 0 for a free one, not 65536."),
        ("[gateway]\nport = true", "gateway.port must be a port from 1 to 65535, or 0 for a free one, not true."),
        ("[gateway]\nhost = ''", 'gateway.host must be an address to listen on, such as 127.0.0.1, not "".'),
        ("[gateway]\nworkers = 0", "gateway.workers must be a number of processes from 1 to 64, not 0."),
        ("[gateway]\ntiers = []", 'gateway.tiers must be a list of tiers out of "system", "process" and "experience", '
         "not an empty list."),
        ("[gateway]\ntiers = ['sytem']", 'gateway.tiers[0] must be system or process or experience, not "sytem".'),
        ("[gateway]\nlocal_binding = 'both'", 'gateway.local_binding must be direct or verify, not "both".'),
        ("[gateway]\ndrain_s = 1e9", "gateway.drain_s must be a number of seconds from 0.1 to 600, not 1000000000.0."),
        ("[gateway]\ndrain_s = nan", "gateway.drain_s must be a number of seconds from 0.1 to 600, not nan."),
        ("[gateway]\npublic_url = 'https://x.example/'", "gateway.public_url must be a base URL with neither path nor "
         'slash at its end, such as "http://127.0.0.1:8001", not "https://x.example/".'),
        ("[store]\nurl = 'http://x'", 'store.url must be a Redis or Valkey URL, such as "redis://store:6379/0", '
         'not "http://x".'),
        ("[database]\nurl = 'mysql://x'", 'database.url must be a database URL, such as '
         '"postgresql://tiergate@db/tiergate", not "mysql://x".'),
        ("[issuer]\nembedded = 1", "issuer.embedded must be true or false, not 1."),
        ("[[issuers]]", "issuers[0].issuer is missing."),
        ("[grants]\nportal = 'x'", 'grants.portal must be a list, each of it text in quotes, not "x".'),
        ("[systems]\nerp = 1", "systems.erp must be a table, not 1."),
        ("[systems.erp]\nseed = 1", "systems.erp.seed is not a setting."),
        ("[telemetry]\nsample_ratio = 2", "telemetry.sample_ratio must be a share from 0 to 1, not 2."),
        ("[policies]\np = 1", "policies.p must be a table, not 1."),
        ("[gateway]\ntiers = ['process']", "placement.system is missing: the process tier is served here and calls the "
         "system tier, which is not; give the base URL of the process that serves it."),
        ("[gateway]\ntiers = ['experience']\n[placement]\nprocess = 'http://127.0.0.1:1'", "placement.system is missing: "
         "the experience tier is served here and asks CRM, in the system tier, which accounts belong together; "
         "give the base URL of the process that serves it."),
        ("[gateway]\nhost = '0.0.0.0'\n[issuer]\ndemo_clients = true", "issuer.demo_clients must be false: demo clients, "
         "whose secrets everybody knows, exist only with the embedded issuer on a loopback address."),
        ("[issuer]\nembedded = false", "issuer.embedded is false and there are no [[issuers]]: nobody could get a token."),
        ("[gateway]\ntrusted_proxies = ['10.0.0.0/8', '10.0.0.1/8']", "gateway.trusted_proxies has a mistake: '10.0.0.1/8' is "
         "no network: write it such as 10.0.0.0/8 or 192.0.2.7 (10.0.0.1/8 has host bits set)."),
    ],
)  # fmt: skip
def test_one_mistake_is_one_sentence(refused: Refused, toml: str, sentence: str) -> None:
    assert refused(toml) == (f"tiergate.toml: {sentence}",)


def test_every_mistake_is_reported_at_once(refused: Refused) -> None:
    found = refused("[gateway]\nprot = 1\nworkers = 99\n[stor]", TIERGATE_PORT="many")
    assert [sentence.split(" ")[0] for sentence in found] == [
        "TIERGATE_PORT",
        "tiergate.toml:",
        "tiergate.toml:",
        "tiergate.toml:",
    ]


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("TIERGATE_PORT", "eight", 'must be a port from 1 to 65535, or 0 for a free one, not "eight".'),
        ("TIERGATE_PORT", "70000", "must be a port from 1 to 65535, or 0 for a free one, not 70000."),
        ("TIERGATE_PORT", "tcp://10.0.0.1:8000", 'must be a port from 1 to 65535, or 0 for a free one, not '
         '"tcp://10.0.0.1:8000". Kubernetes sets this for a service named tiergate: set enableServiceLinks to false.'),
        ("TIERGATE_WORKERS", "-1", 'must be a number of processes from 1 to 64, not "-1".'),
        ("TIERGATE_TIERS", "system,proces", 'must be system or process or experience, not "proces".'),
    ],
)  # fmt: skip
def test_a_wrong_variable_is_named(refused: Refused, name: str, value: str, sentence: str) -> None:
    assert refused(**{name: value}) == (f"{name} {sentence}",)


def test_broken_toml_says_where(refused: Refused) -> None:
    assert refused("[gateway\nport = 1") == (
        "tiergate.toml is not valid TOML: expected ']' at the end of a table declaration (at line 1, column 9).",
    )


def test_a_file_that_is_not_text(refused: Refused) -> None:
    assert refused(b"\xff\xfe") == ("tiergate.toml can't be read: it is not UTF-8 text.",)


def test_a_named_file_must_be_there(refused: Refused) -> None:
    assert refused(TIERGATE_CONFIG="other.toml") == ("TIERGATE_CONFIG names other.toml, and there is no such file.",)


def test_a_folder_is_not_a_file(tmp_path: Path, refused: Refused) -> None:
    (tmp_path / "folder").mkdir()
    assert refused(TIERGATE_CONFIG="folder") == ("folder can't be read: is a directory.",)


class Bounds(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    lower: int = 1
    upper: int = 2
    share: Annotated[float, Meta(gt=0, le=1, description="A sentence about it.")] = 1.0
    mode: Annotated[Literal["open", "closed"], Meta(description="What happens.")] = "open"

    def __post_init__(self) -> None:
        if self.lower > self.upper:
            raise ValueError("lower must not be above upper.")


@pytest.mark.parametrize(
    ("raw", "sentence"),
    [
        ({"loer": 1}, "policies.p.loer is not a setting; did you mean lower?"),
        ({"lower": "x"}, 'policies.p.lower must be a whole number, not "x".'),
        ({"share": 2.0}, "policies.p.share must be a number above 0 up to 1, not 2.0."),
        ({"mode": "x"}, 'policies.p.mode must be open or closed, not "x".'),
        ({"lower": 3}, "policies.p: lower must not be above upper."),
    ],
)
def test_a_policys_own_section(raw: dict[str, object], sentence: str) -> None:
    with pytest.raises(SettingsError) as caught:
        read_section(raw, Bounds, file="tiergate.toml", path="policies.p")
    assert caught.value.violations == (f"tiergate.toml: {sentence}",)
