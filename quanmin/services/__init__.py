"""Services: one folder each, named as in WS/T 790 where it has a name; none imports another."""
