-- Population by county: as reported for counties, or summed from townships where only those are reported.
WITH reported AS (
    SELECT left(region_code, 6) AS county_code, length(region_code) AS digits, year, sex_code, age_band, resident_count, insured_count
    FROM population WHERE length(region_code) IN (6, 9)
), finest AS (
    SELECT * FROM reported
    WHERE NOT EXISTS (FROM our_county) OR county_code IN (SELECT code FROM our_county)
    QUALIFY digits = min(digits) OVER (PARTITION BY county_code, year)
)
SELECT county_code, year, sex_code, age_band, CAST(sum(resident_count) AS BIGINT) AS resident_count, CAST(sum(insured_count) AS BIGINT) AS insured_count
FROM finest GROUP BY county_code, year, sex_code, age_band
