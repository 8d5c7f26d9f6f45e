"""The ERP: products, prices, stock, credit, sales orders, invoices and returns."""
