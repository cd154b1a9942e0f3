"""Bilty: a dispatch desk for business-to-business shipments of many boxes."""

__version__ = "0.1.0"
