"""The tables of the embedded ERP; what must never be false is a constraint of the file itself.

Amounts are minor units, instants RFC 3339 UTC text of fixed width (so text order is time order).
Documents are numbered by their integer key; ``reference`` is the caller's unique external one.
"""

from __future__ import annotations

SCHEMA = """
CREATE TABLE IF NOT EXISTS products (
    sku TEXT PRIMARY KEY, name TEXT NOT NULL, category TEXT NOT NULL, unit TEXT NOT NULL, description TEXT NOT NULL,
    tax_category TEXT NOT NULL, status TEXT NOT NULL, weight_g INTEGER NOT NULL, currency TEXT NOT NULL,
    updated_at TEXT NOT NULL, searched TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS list_prices (
    sku TEXT NOT NULL REFERENCES products, currency TEXT NOT NULL, amount INTEGER NOT NULL CHECK (amount >= 0),
    per INTEGER NOT NULL, PRIMARY KEY (sku, currency)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS volume_prices (
    sku TEXT NOT NULL REFERENCES products, currency TEXT NOT NULL, from_quantity INTEGER NOT NULL,
    amount INTEGER NOT NULL CHECK (amount >= 0), per INTEGER NOT NULL, PRIMARY KEY (sku, currency, from_quantity)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS contract_prices (
    account_id TEXT NOT NULL, sku TEXT NOT NULL REFERENCES products, currency TEXT NOT NULL,
    from_quantity INTEGER NOT NULL, amount INTEGER NOT NULL CHECK (amount >= 0), per INTEGER NOT NULL,
    PRIMARY KEY (account_id, sku, currency, from_quantity)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS tax_rates (
    country TEXT NOT NULL, tax_category TEXT NOT NULL, rate_bp INTEGER NOT NULL CHECK (rate_bp BETWEEN 0 AND 10000),
    PRIMARY KEY (country, tax_category)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS sites (
    warehouse TEXT PRIMARY KEY, country TEXT NOT NULL, serves TEXT NOT NULL, third_party INTEGER NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS stock (
    sku TEXT NOT NULL REFERENCES products, warehouse TEXT NOT NULL REFERENCES sites,
    on_hand INTEGER NOT NULL CHECK (on_hand >= 0), reserved INTEGER NOT NULL DEFAULT 0 CHECK (reserved >= 0),
    CHECK (reserved <= on_hand), PRIMARY KEY (sku, warehouse)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS undone (
    kind TEXT NOT NULL, reference TEXT NOT NULL, account_id TEXT NOT NULL, at TEXT NOT NULL,
    PRIMARY KEY (kind, reference, account_id)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS reservations (
    key INTEGER PRIMARY KEY, reference TEXT NOT NULL UNIQUE, fingerprint TEXT NOT NULL, account_id TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('held', 'released', 'consumed', 'expired')), expires_at TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS held_reservations ON reservations (expires_at) WHERE status = 'held';
CREATE TABLE IF NOT EXISTS allocations (
    reservation INTEGER NOT NULL REFERENCES reservations, position INTEGER NOT NULL, sku TEXT NOT NULL,
    warehouse TEXT NOT NULL, quantity INTEGER NOT NULL CHECK (quantity > 0), PRIMARY KEY (reservation, position)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS settled_parts (
    reservation INTEGER NOT NULL REFERENCES reservations, warehouse TEXT NOT NULL,
    outcome TEXT NOT NULL CHECK (outcome IN ('issued', 'released')), PRIMARY KEY (reservation, warehouse)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS terms (
    account_id TEXT PRIMARY KEY, currency TEXT NOT NULL, payment_terms TEXT NOT NULL, credit_limit INTEGER,
    discount_bp INTEGER NOT NULL, tax_treatment TEXT NOT NULL, tax_country TEXT NOT NULL, on_hold INTEGER NOT NULL,
    exposure INTEGER NOT NULL DEFAULT 0 CHECK (exposure >= 0)
) STRICT;
CREATE TABLE IF NOT EXISTS sales_orders (
    key INTEGER PRIMARY KEY, reference TEXT NOT NULL UNIQUE, fingerprint TEXT NOT NULL,
    account_id TEXT NOT NULL REFERENCES terms,
    status TEXT NOT NULL CHECK (status IN ('posted', 'cancelled', 'invoiced')),
    currency TEXT NOT NULL, net INTEGER NOT NULL, tax INTEGER NOT NULL, total INTEGER NOT NULL,
    uninvoiced INTEGER NOT NULL CHECK (uninvoiced BETWEEN 0 AND total), prepaid INTEGER NOT NULL,
    ship_to TEXT NOT NULL, customer_reference TEXT NOT NULL, posted_at TEXT NOT NULL, CHECK (net + tax = total)
) STRICT;
CREATE INDEX IF NOT EXISTS sales_orders_of ON sales_orders (account_id, key);
CREATE TABLE IF NOT EXISTS sales_order_lines (
    sales_order INTEGER NOT NULL REFERENCES sales_orders, line_no INTEGER NOT NULL,
    sku TEXT NOT NULL REFERENCES products, quantity INTEGER NOT NULL CHECK (quantity > 0), price INTEGER NOT NULL,
    per INTEGER NOT NULL, discount_bp INTEGER NOT NULL, net INTEGER NOT NULL, tax_rate_bp INTEGER NOT NULL,
    invoiced INTEGER NOT NULL DEFAULT 0 CHECK (invoiced BETWEEN 0 AND quantity),
    invoiced_net INTEGER NOT NULL DEFAULT 0 CHECK (invoiced_net BETWEEN 0 AND net),
    returned INTEGER NOT NULL DEFAULT 0 CHECK (returned BETWEEN 0 AND invoiced),
    returned_net INTEGER NOT NULL DEFAULT 0 CHECK (returned_net BETWEEN 0 AND net),
    PRIMARY KEY (sales_order, line_no)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS invoices (
    key INTEGER PRIMARY KEY, reference TEXT NOT NULL UNIQUE, fingerprint TEXT NOT NULL,
    sales_order INTEGER NOT NULL REFERENCES sales_orders, account_id TEXT NOT NULL REFERENCES terms,
    status TEXT NOT NULL CHECK (status IN ('open', 'paid', 'credited')), currency TEXT NOT NULL,
    net INTEGER NOT NULL, tax INTEGER NOT NULL, total INTEGER NOT NULL,
    paid INTEGER NOT NULL DEFAULT 0 CHECK (paid >= 0), credited INTEGER NOT NULL DEFAULT 0 CHECK (credited >= 0),
    on_account INTEGER NOT NULL DEFAULT 0, issued_at TEXT NOT NULL, due_on TEXT NOT NULL,
    CHECK (net + tax = total), CHECK (paid <= total), CHECK (credited <= total)
) STRICT;
CREATE INDEX IF NOT EXISTS invoices_of ON invoices (account_id, key);
CREATE INDEX IF NOT EXISTS invoices_of_order ON invoices (sales_order, key);
CREATE TABLE IF NOT EXISTS invoice_lines (
    invoice INTEGER NOT NULL REFERENCES invoices, line_no INTEGER NOT NULL, sku TEXT NOT NULL,
    quantity INTEGER NOT NULL CHECK (quantity > 0), net INTEGER NOT NULL, tax_rate_bp INTEGER NOT NULL,
    PRIMARY KEY (invoice, line_no)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS invoice_payments (
    reference TEXT PRIMARY KEY, fingerprint TEXT NOT NULL, invoice INTEGER NOT NULL REFERENCES invoices,
    amount INTEGER NOT NULL CHECK (amount > 0), received_at TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS returns (
    key INTEGER PRIMARY KEY, reference TEXT NOT NULL UNIQUE, fingerprint TEXT NOT NULL,
    sales_order INTEGER NOT NULL REFERENCES sales_orders, account_id TEXT NOT NULL REFERENCES terms,
    reason TEXT NOT NULL, status TEXT NOT NULL CHECK (status IN ('authorised', 'received', 'credited')),
    credit INTEGER NOT NULL, credit_tax INTEGER NOT NULL, created_at TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS returns_of ON returns (account_id, key);
CREATE INDEX IF NOT EXISTS returns_of_order ON returns (sales_order, key);
CREATE TABLE IF NOT EXISTS return_lines (
    return_key INTEGER NOT NULL REFERENCES returns, position INTEGER NOT NULL, sku TEXT NOT NULL,
    warehouse TEXT NOT NULL REFERENCES sites, quantity INTEGER NOT NULL CHECK (quantity > 0),
    PRIMARY KEY (return_key, position)
) STRICT, WITHOUT ROWID;
"""
