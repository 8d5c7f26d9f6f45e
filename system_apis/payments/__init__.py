"""Card payments of the company's payment provider."""
