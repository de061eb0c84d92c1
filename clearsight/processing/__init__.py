"""Pixels and text to ids: pictures decoded, cut into tiles, placed among the words of a conversation."""
