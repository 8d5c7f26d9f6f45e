"""Commerce: storefront items and the orders of a web shop and two marketplaces."""
