-- Unknown where the institution reports no staff or beds for the year.
SELECT facility_code, any_value(facility_county) AS facility_county, any_value(facility_level) AS facility_level, reported_on, count(*) FILTER (is_key) AS key_item_count,
       CASE WHEN bool_and(cover_days IS NOT NULL) FILTER (is_key) THEN count(*) FILTER (is_key AND is_short) END AS key_short_count,
       min(cover_days) FILTER (is_key) AS least_key_days
FROM stock_position
GROUP BY facility_code, reported_on
QUALIFY row_number() OVER (PARTITION BY facility_code, date_trunc('month', reported_on) ORDER BY reported_on DESC) = 1
