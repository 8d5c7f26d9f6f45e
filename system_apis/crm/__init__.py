"""CRM: accounts and their hierarchy, contacts, opportunities, quotes, cases and activities."""
