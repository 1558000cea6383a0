-- What was counted of every item, against the use a day at full load: technical staff and beds of the newest yearly report, by the shares of catalog/supplies.toml.
-- What has expired on the day of counting and what is only under contract cannot be used; a key item that is not listed is not there.
WITH counts AS (
    SELECT facility_code, reported_on, any_value(facility_county) AS facility_county, any_value(facility_level) AS facility_level FROM stock_holding GROUP BY ALL
), held AS (
    SELECT facility_code, reported_on, item_code, coalesce(sum(quantity) FILTER (storage_code = 'physical' AND NOT is_expired AND quantity > 0), 0) AS usable_quantity,
           coalesce(sum(quantity) FILTER (storage_code = 'physical' AND is_expired AND quantity > 0), 0) AS expired_quantity,
           coalesce(sum(quantity) FILTER (storage_code <> 'physical' AND quantity > 0), 0) AS reserve_quantity
    FROM stock_holding GROUP BY ALL
), resources AS (
    SELECT facility_code, arg_max(technical_staff_count, year) AS staff, arg_max(coalesce(bed_count, 0), year) AS beds FROM facility_resources GROUP BY ALL
), positions AS (
    SELECT c.facility_code, c.facility_county, c.facility_level, c.reported_on, l.item_code, l.is_key, l.key_days, coalesce(h.usable_quantity, 0) AS usable_quantity,
           coalesce(h.expired_quantity, 0) AS expired_quantity, coalesce(h.reserve_quantity, 0) AS reserve_quantity,
           r.staff * l.per_staff + r.beds * l.per_bed AS full_load_per_day,
           c.reported_on = max(c.reported_on) OVER (PARTITION BY c.facility_code, date_trunc('month', c.reported_on)) AS is_last
    FROM counts c CROSS JOIN supply_list l LEFT JOIN held h ON h.facility_code = c.facility_code AND h.reported_on = c.reported_on AND h.item_code = l.item_code
         LEFT JOIN resources r ON r.facility_code = c.facility_code
    WHERE h.item_code IS NOT NULL OR l.is_key
)
SELECT p.facility_code, p.facility_county, p.facility_level, p.reported_on, p.item_code, p.is_key, p.usable_quantity, p.expired_quantity, p.reserve_quantity,
       CASE WHEN p.is_last THEN m.closing_quantity END AS ledger_quantity, p.full_load_per_day,
       CASE WHEN p.full_load_per_day > 0 THEN floor(p.usable_quantity / p.full_load_per_day + 1e-9)::BIGINT END AS cover_days,
       CASE WHEN p.full_load_per_day > 0 THEN floor(p.usable_quantity / p.full_load_per_day + 1e-9) < p.key_days END AS is_short
FROM positions p LEFT JOIN stock_movement m ON m.facility_code = p.facility_code AND m.item_code = p.item_code AND m.month = date_trunc('month', p.reported_on)::DATE
