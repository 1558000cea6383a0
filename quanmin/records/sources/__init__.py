"""Sources turn one received file into batches of rows: `recognises(file)`, `open(file)` → header and batches."""
