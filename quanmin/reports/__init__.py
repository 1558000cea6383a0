"""Reports: what several services say of one place, put together for a page, a brief or a wall."""
