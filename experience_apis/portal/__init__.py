"""The customer portal: what one account may see and do."""
