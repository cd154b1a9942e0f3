"""A hostile ClickPost B2B to test against. It books nothing and `bilty` never imports it."""
