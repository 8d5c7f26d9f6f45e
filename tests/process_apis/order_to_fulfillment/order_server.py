"""A process that places orders and runs flows until it is killed: ``order_server.py HOME PREFIX COUNT URL``.

Prints ``ready``, then one line for each order it placed. A count of 0 places none and only runs.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from order_world import World, an_order

from process_apis.flow import FlowSettings

ACCOUNTS = ("STADTWERKE", "PIXELFAB", "ACME", "HOLDFAST", "BRICOLO")


async def serve(home: Path, prefix: str, count: int, url: str) -> None:
    async with World(home, dispatch_s=0.3, settings=FlowSettings(home=home, database_url=url)) as world:
        print("ready", world.flows.running, flush=True)
        for number in range(count):
            account_id = ACCOUNTS[number % len(ACCOUNTS)]
            token = {"PIXELFAB": "card_ok", "BRICOLO": "card_declined"}.get(account_id)
            wanted = an_order(
                account_id, ("BRG-6204", 1), ("BRG-6000", 2), card_token=token, reference=f"{prefix}{number}"
            )
            order = await world.place(f"{prefix}{number}", wanted, wait_s=0)
            print(order.order_id, flush=True)
        await asyncio.Event().wait()


asyncio.run(serve(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), sys.argv[4]))
