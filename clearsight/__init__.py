"""Clearsight: an open visual assistant that trains, measures, serves and shows itself."""

__version__ = "0.1.0"
