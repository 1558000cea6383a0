-- One row per facility with the attributes questions group by. Level: WS 218 institution type and hospital grade.
SELECT f.facility_code,
       f.name AS facility_name,
       f.county_code AS facility_county,
       CASE WHEN f.level_code IN ('1', '2', '3', '4', '13') THEN 'tertiary'
            WHEN f.level_code IN ('5', '6', '7', '12') THEN 'secondary'
            WHEN f.level_code IN ('8', '9', '10', '11') OR left(f.type_code, 1) IN ('B', 'C') OR f.type_code = 'D600' THEN 'primary'
            ELSE 'other' END AS facility_level,
       f.type_code AS facility_type_code,
       f.is_public,
       coalesce(left(f.type_code, 1) IN ('B', 'C', 'D'), FALSE) AS is_primary_care,
       CASE WHEN EXISTS (FROM our_county) THEN f.county_code IN (SELECT code FROM our_county) END AS is_in_region,
       f.community_code,
       coalesce(f.is_community_lead, FALSE) AS is_community_lead,
       left(f.region_code, 9) AS township_code,
       CASE WHEN length(f.region_code) = 12 THEN f.region_code END AS village_code
FROM facility f
QUALIFY row_number() OVER (PARTITION BY f.facility_code ORDER BY f.submission DESC, f.line DESC) = 1
