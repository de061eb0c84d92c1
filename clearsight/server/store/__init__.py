"""What is kept: tables, how they are reached, and the operations on them, one file each."""
