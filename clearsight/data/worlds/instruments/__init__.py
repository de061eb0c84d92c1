"""What is read off a dial or a scale: clocks and watches, gauges, meters and rulers, and the places where they are."""
