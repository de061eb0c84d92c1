"""Diagrams: flow charts, networks, trees and Venn diagrams; the nodes and arrows they are drawn with, and what they are
about. They stand on the page of charts."""
