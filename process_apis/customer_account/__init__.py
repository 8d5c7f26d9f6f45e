"""What there is about one customer account, from CRM, ERP, logistics and the orders under way."""
