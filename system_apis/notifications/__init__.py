"""The notifications system API: messages to people, and the systems that carry them."""
