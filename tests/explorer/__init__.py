"""The explorer in a real browser, over real tables and sockets."""
