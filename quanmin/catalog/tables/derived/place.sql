-- Places by year: townships with their villages, and villages that have a standard clinic.
WITH years AS (SELECT DISTINCT year FROM facility_year),
clinic AS (
    SELECT y.year, a.village_code FROM facility_year y JOIN facility_attributes a ON y.facility_code = a.facility_code
    WHERE y.is_standard_clinic AND a.village_code IS NOT NULL GROUP BY ALL
)
SELECT r.region_code, r.name, r.level, left(r.region_code, 6) AS county_code,
       (SELECT count(*) FROM region v WHERE v.level = 'village' AND v.parent_code = r.region_code) AS village_count,
       (SELECT count(*) FROM clinic c JOIN region v ON c.village_code = v.region_code WHERE v.parent_code = r.region_code AND c.year = years.year) AS standard_clinic_village_count,
       years.year
FROM region r, years WHERE r.level IN ('county', 'township')
