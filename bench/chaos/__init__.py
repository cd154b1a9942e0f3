"""Bilty under fire: `./run chaos`. docs/chaos.md says what is done and what is counted."""
