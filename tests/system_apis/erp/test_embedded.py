"""The embedded ERP keeps the port's promises, over time, restarts and processes, and its ledger is sound."""

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from governance.call import ManualClock
from system_apis.canonical.entities import CustomerTerms
from system_apis.canonical.refusals import (
    AmountExceeded,
    CreditLimitExceeded,
    CurrencyMismatch,
    InsufficientStock,
    NoTaxRate,
    WrongState,
)
from system_apis.canonical.values import AMOUNT_LIMIT, Money, UnitPrice
from system_apis.embedded import RecordFiles, seed_rows
from system_apis.erp.connectors.embedded.connector import Connector, Settings
from system_apis.erp.documents import Basket, BasketLine, NewInvoice, NewReservation, StockLevel, StockLine
from system_apis.erp.port import ProductFilter
from system_apis.erp.receivables import NewReceivedPayment
from tests.system_apis.erp.conformance import ErpPortConformance
from tests.system_apis.erp.material import eur, furnish, invoiced, order, product, reservation, terms

ROOT = Path(__file__).parents[3]


@pytest.fixture
def files(tmp_path: Path) -> Iterator[RecordFiles]:
    files = RecordFiles(tmp_path)
    yield files
    files.close()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


def started(files: RecordFiles, clock: ManualClock, *, seed: bool) -> Connector:
    connector = Connector(Settings(seed=seed), files, clock)
    asyncio.run(connector.start())
    return connector


@pytest.fixture
def port(files: RecordFiles, clock: ManualClock) -> Connector:
    return started(files, clock, seed=False)


@pytest.fixture
def seeded(files: RecordFiles, clock: ManualClock) -> Connector:
    return started(files, clock, seed=True)


class TestConformance(ErpPortConformance):
    """The embedded connector under the suite of its port."""

    @pytest.fixture(autouse=True)
    def sound(self, port: Connector) -> Iterator[None]:
        yield
        assert asyncio.run(port.ledger()).discrepancies == ()


def test_the_dataset_is_that_of_a_distributor(seeded: Connector) -> None:
    async def scenario() -> None:
        assert len(await seeded.list_products(ProductFilter(), "", 200)) >= 60
        assert len(await seeded.list_products(ProductFilter(query="DEEP groove"), "", 200)) == 5
        positions = (await seeded.get_availability("BRG-6204")).positions
        assert [(one.warehouse, one.third_party) for one in positions] == [
            ("CLE-3PL", True), ("HAM", False), ("POZ", False), ("ROT", False),
        ]  # fmt: skip
        accounts = seed_rows("accounts")
        assert len(accounts) >= 15
        for row in accounts:
            assert (await seeded.get_terms(row["account_id"])).currency in ("EUR", "USD")
        assert (await seeded.get_credit_status("HOLDFAST")).on_hold
        assert (await seeded.ledger()).discrepancies == ()

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("account_id", "sku", "quantity", "expected"),
    [
        ("ACME", "BRG-6204", 2, (410, 0, 820, 1_900, "contract")),
        ("ACME", "BRG-6204", 500, (365, 0, 182_500, 1_900, "contract")),
        ("ACME", "BRG-6206", 10, (729, 750, 6_743, 1_900, "list")),
        ("ACME", "BRG-6206", 50, (659, 750, 30_479, 1_900, "volume")),
        ("ACME", "HBK-DRIVES", 1, (3_990, 750, 3_691, 700, "list")),
        ("GLOBEX", "BRG-6000", 1, (312, 500, 296, 0, "list")),
        ("VANDERMEER", "BRG-6000", 500, (229, 900, 104_195, 0, "volume")),
    ],
)
def test_prices_of_the_dataset(
    seeded: Connector, account_id: str, sku: str, quantity: int, expected: tuple[int, int, int, int, str]
) -> None:
    line = asyncio.run(seeded.price(account_id, Basket(lines=(BasketLine(sku=sku, quantity=quantity),)))).lines[0]
    given = (
        line.unit_price.amount.amount_minor,
        line.discount_bp,
        line.net.amount_minor,
        line.tax_rate_bp,
        line.source,
    )
    assert given == expected


def test_a_restart_seeds_nothing_again(files: RecordFiles, clock: ManualClock) -> None:
    async def scenario() -> None:
        first = Connector(Settings(), files, clock)
        await first.start()
        await first.put_stock("HAM", "BRG-6204", StockLevel(on_hand=1))
        await first.stop()
        again = Connector(Settings(), files, clock)
        await again.start()
        assert (await again.list_inventory("BRG-6204", "HAM", ("", ""), 1))[0].on_hand == 1
        await again.stop()
        with pytest.raises(RuntimeError, match="before start"):
            await again.get_product("BRG-6204")

    asyncio.run(scenario())


def test_an_overdue_reservation_holds_nothing(port: Connector, clock: ManualClock) -> None:
    async def scenario() -> None:
        await furnish(port)
        request = NewReservation(
            account_id="CT-A", lines=(StockLine(sku="CT-1", quantity=8),), ship_country="DE", expires_in_s=60
        )
        held = await port.reserve_stock(request, "r-1")
        clock.advance(59)
        assert (await port.get_availability("CT-1")).available == 2
        clock.advance(1)
        assert (await port.get_availability("CT-1")).available == 10  # a reading writes nothing, and sees it
        assert (await port.total_stock(("CT-1",)))[0].available == 10
        found = await port.find_reservation_by_reference("r-1")
        assert found is not None and found.status == "expired"
        assert (await port.reserve_stock(request, "r-1")).reservation_id == held.reservation_id
        await port.reserve_stock(reservation(("CT-1", 5)), "r-2")
        with pytest.raises(InsufficientStock):  # the goods issue of r-1 comes too late for five of its eight
            await port.consume_reservation("r-1", "CT-A")
        await port.release_reservation("r-2", "CT-A")
        assert (await port.consume_reservation("r-1", "CT-A")).status == "consumed"
        ledger = await port.ledger()
        assert ledger.discrepancies == () and ledger.left_over() == ()
        assert [(one.on_hand, one.reserved) for one in ledger.stock] == [(2, 0)]

    asyncio.run(scenario())


def test_releasing_an_overdue_reservation_gives_back_once(port: Connector, clock: ManualClock) -> None:
    async def scenario() -> None:
        await furnish(port)
        await port.reserve_stock(reservation(("CT-1", 8)), "r-1")
        clock.advance(86_400)
        released = await port.release_reservation("r-1", "CT-A")
        assert released is not None and released.status == "released"
        assert (await port.get_availability("CT-1")).available == 10
        assert (await port.ledger()).discrepancies == ()

    asyncio.run(scenario())


def test_an_account_that_pays_by_card_has_no_credit(seeded: Connector) -> None:
    async def scenario() -> None:
        wanted = order(("BRG-6204", 1, 475), account_id="PIXELFAB")
        with pytest.raises(CreditLimitExceeded):
            await seeded.post_sales_order(wanted, "so-1")
        posted = await seeded.post_sales_order(order(("BRG-6204", 1, 475), account_id="PIXELFAB", prepaid=True), "so-2")
        invoice = await seeded.post_invoice(
            NewInvoice(account_id="PIXELFAB", sales_order_id=posted.sales_order_id), "i-1"
        )
        assert invoice.due_on == invoice.issued_at.date()
        assert (await seeded.get_credit_status("PIXELFAB")).exposure == eur(0)

    asyncio.run(scenario())


def test_terms_that_cannot_be_priced_are_refused(port: Connector) -> None:
    async def scenario() -> None:
        await furnish(port)
        with pytest.raises(NoTaxRate):
            await port.put_terms(CustomerTerms(account_id="CT-X", currency="EUR", tax_country="AQ"))
        await port.put_terms(CustomerTerms(account_id="CT-X", currency="EUR", tax_country="AQ", tax_treatment="export"))
        with pytest.raises(CurrencyMismatch):
            await port.put_terms(CustomerTerms(account_id="CT-X", currency="EUR", credit_limit=Money(1, "USD")))
        await port.post_sales_order(order(("CT-1", 1, 1_000)), "so-1")
        with pytest.raises(CurrencyMismatch):
            await port.put_terms(CustomerTerms(account_id="CT-A", currency="USD"))
        dollars = CustomerTerms(account_id="CT-Y", currency="USD", tax_treatment="export")
        await port.put_terms(dollars)
        with pytest.raises(CurrencyMismatch, match="no price in USD"):
            await port.price("CT-Y", Basket(lines=(BasketLine(sku="CT-1", quantity=1),)))

    asyncio.run(scenario())


def test_a_basket_beyond_all_sums_is_refused(port: Connector) -> None:
    async def scenario() -> None:
        await furnish(port)
        dear = BasketLine(sku="CT-1", quantity=2, agreed_price=UnitPrice(eur(AMOUNT_LIMIT)))
        with pytest.raises(AmountExceeded):
            await port.price("CT-A", Basket(lines=(dear,)))
        half = BasketLine(sku="CT-1", quantity=1, agreed_price=UnitPrice(eur(AMOUNT_LIMIT // 2)))
        with pytest.raises(AmountExceeded):
            await port.price("CT-A", Basket(lines=(half, half)))

    asyncio.run(scenario())


def test_a_list_price_in_a_second_currency_keeps_the_first(port: Connector) -> None:
    async def scenario() -> None:
        await furnish(port)
        in_dollars = product()
        await port.put_product(
            type(in_dollars)(
                sku="CT-1",
                name="Thing",
                category="Conformance",
                unit="piece",
                list_price=UnitPrice(Money(1_100, "USD")),
            )
        )
        priced = await port.price("CT-A", Basket(lines=(BasketLine(sku="CT-1", quantity=1),)))
        assert priced.net == eur(1_000)

    asyncio.run(scenario())


def test_a_partly_invoiced_order_is_not_cancelled(port: Connector) -> None:
    async def scenario() -> None:
        await furnish(port)
        free = await port.post_sales_order(order(("CT-1", 1, 0)), "so-1")  # worth nothing, yet invoiced
        invoice = await port.post_invoice(NewInvoice(account_id="CT-A", sales_order_id=free.sales_order_id), "i-1")
        assert invoice.status == "paid"
        with pytest.raises(WrongState):
            await port.cancel_sales_order("so-1", "CT-A")

    asyncio.run(scenario())


def test_the_file_itself_refuses_negative_stock(port: Connector, tmp_path: Path) -> None:
    asyncio.run(furnish(port))
    with closing(sqlite3.connect(tmp_path / "erp.sqlite")) as raw, pytest.raises(sqlite3.IntegrityError):
        raw.execute("UPDATE stock SET reserved = 11")
    with closing(sqlite3.connect(tmp_path / "erp.sqlite")) as raw, pytest.raises(sqlite3.IntegrityError):
        raw.execute("UPDATE terms SET exposure = -1")


PROCESS = """
import asyncio, sys
from pathlib import Path
from governance.call import SystemClock
from governance.contract.problems import Refusal
from system_apis.embedded import RecordFiles
from system_apis.erp.connectors.embedded.connector import Connector, Settings
from tests.system_apis.erp.material import order, reservation

async def main():
    files = RecordFiles(Path(sys.argv[1]))
    erp = Connector(Settings(seed=False), files, SystemClock())
    await erp.start()
    async def buy(n):
        try:
            await erp.reserve_stock(reservation(("CT-1", 1)), f"r-{sys.argv[2]}-{n}")
            await erp.post_sales_order(order(("CT-1", 1, 1_000)), f"so-{sys.argv[2]}-{n}")
            await erp.post_sales_order(order(("CT-1", 1, 1_000)), f"so-both-{n}")
        except Refusal:
            pass
    await asyncio.gather(*(buy(n) for n in range(20)))
    files.close()
asyncio.run(main())
"""


def test_two_processes_hold_stock_and_credit_together(port: Connector, tmp_path: Path) -> None:
    asyncio.run(furnish(port, limit=11 * 1_190, stock=30))
    children = [subprocess.Popen([sys.executable, "-c", PROCESS, str(tmp_path), name], cwd=ROOT) for name in ("a", "b")]
    assert [child.wait(60) for child in children] == [0, 0]
    ledger = asyncio.run(port.ledger())
    assert ledger.discrepancies == ()
    assert [(one.on_hand, one.reserved) for one in ledger.stock] == [(30, 30)]
    assert len(ledger.left_over()) == 30
    assert len(ledger.orders) == 11
    assert len({one.reference for one in ledger.orders}) == 11
    assert ledger.doubled() == (("CT-A", "PO-1"),)


def test_accounts_of_the_suite_are_not_of_the_dataset() -> None:
    assert terms().account_id not in {row["account_id"] for row in seed_rows("accounts")}


def test_the_ledger_tells_of_money_that_no_invoice_has(files: RecordFiles, clock: ManualClock, tmp_path: Path) -> None:
    port = started(files, clock, seed=False)

    async def scenario() -> list[tuple[str, ...]]:
        await furnish(port)
        await invoiced(port, ("CT-1", 1, 1_000))
        await port.record_payment(NewReceivedPayment(account_id="CT-A", amount=eur(500)), "b-1")
        sound = (await port.ledger()).discrepancies
        with closing(sqlite3.connect(tmp_path / "erp.sqlite")) as file, file:
            file.execute("UPDATE payment_allocations SET amount = 499")
        return [sound, (await port.ledger()).discrepancies]

    sound, spoiled = asyncio.run(scenario())
    assert sound == ()
    assert spoiled == ("INV-100001 is kept as paid with 500 but 499 were received",)
