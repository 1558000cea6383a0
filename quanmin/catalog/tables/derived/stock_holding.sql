SELECT l.sender, l.submission, l.line, l.facility_code, a.facility_county, a.facility_level, l.reported_on, l.item_code, l.lot, l.storage_code, l.quantity, l.expires_on,
       coalesce(l.expires_on < l.reported_on, FALSE) AS is_expired
FROM stock_lot l LEFT JOIN facility_attributes a ON l.facility_code = a.facility_code
