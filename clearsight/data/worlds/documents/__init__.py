"""Papers that hold data: tables, receipts and tickets, and forms; what they say, how they are drawn, what is asked."""
