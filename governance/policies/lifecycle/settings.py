"""Settings of lifecycle."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from governance.contract.operation import Tier

Days = Annotated[int, Meta(ge=0, le=3_650, description="Days that lie at least between deprecation and sunset.")]


class Settings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[policies.lifecycle]``: the notice that callers of each tier are given."""

    experience_notice_days: Days = 180
    process_notice_days: Days = 90
    system_notice_days: Days = 90

    def notice_days(self, tier: Tier) -> int:
        """The least notice of a tier, in days."""
        notices: dict[Tier, int] = {
            "experience": self.experience_notice_days,
            "process": self.process_notice_days,
            "system": self.system_notice_days,
        }
        return notices[tier]
