-- Each identity's resident and the resident's home: by the newest entry of the resident register
-- (one they have not moved out of, where there is such), else the newest place insured,
-- else the county (and township) named in an address.
WITH registered AS (
    SELECT k.resident_id, arg_max(r.region_code, r.newness) AS region_code, arg_max(r.birth_date, r.newness) AS birth_date, arg_max(r.sex_code, r.newness) AS sex_code, bool_or(r.insurance_type_code IS NOT NULL) AS is_insured, max(r.died_on) AS died_on
    FROM (SELECT *, (moved_out_on IS NULL, coalesce(registered_on, DATE '1900-01-01'), submission, line) AS newness FROM resident) r JOIN resident_cluster k ON r.identity_id = k.identity_id GROUP BY k.resident_id
), identified AS (
    SELECT resident_id, arg_max(region_code, (first_submission, first_line)) FILTER (table_name = 'claim') AS insured_in,
           arg_max(birth_date, (times_born, birth_date)) AS birth_date, arg_max(sex_code, (times_sex, sex_code)) AS sex_code, bool_or(table_name = 'claim') AS is_insured
    FROM (SELECT k.resident_id, i.*, count(i.birth_date) OVER (PARTITION BY k.resident_id, i.birth_date) AS times_born,
                 count(i.sex_code) OVER (PARTITION BY k.resident_id, i.sex_code) AS times_sex
          FROM identity i JOIN resident_cluster k ON i.identity_id = k.identity_id)
    GROUP BY resident_id
), unplaced AS (
    SELECT DISTINCT x.resident_id, i.address
    FROM identified x LEFT JOIN registered g ON x.resident_id = g.resident_id
    JOIN resident_cluster k ON k.resident_id = x.resident_id JOIN identity i ON i.identity_id = k.identity_id
    WHERE g.region_code IS NULL AND x.insured_in IS NULL AND i.address IS NOT NULL
), named AS (
    SELECT resident_id, arg_max(code, (times_county, code)) AS named_county, arg_max(region_code, (times_township, region_code)) AS named_township
    FROM (SELECT u.resident_id, c.code, t.region_code, count(c.code) OVER (PARTITION BY u.resident_id, c.code) AS times_county,
                 count(t.region_code) OVER (PARTITION BY u.resident_id, t.region_code) AS times_township
          FROM unplaced u JOIN our_county c ON contains(u.address, c.name)
          LEFT JOIN region t ON t.level = 'township' AND left(t.region_code, 6) = c.code AND contains(u.address, t.name))
    GROUP BY resident_id
)
SELECT k.identity_id, k.resident_id, left(coalesce(g.region_code, x.insured_in, n.named_county), 6) AS home_county,
       CASE WHEN length(g.region_code) >= 9 THEN left(g.region_code, 9) WHEN g.region_code IS NULL AND x.insured_in IS NULL THEN n.named_township END AS home_township,
       CASE WHEN length(g.region_code) = 12 THEN g.region_code END AS home_village, g.died_on,
       coalesce(g.birth_date, x.birth_date) AS birth_date, coalesce(g.sex_code, x.sex_code) AS sex_code,
       coalesce(g.is_insured, FALSE) OR coalesce(x.is_insured, FALSE) AS is_insured
FROM resident_cluster k
LEFT JOIN registered g ON k.resident_id = g.resident_id
LEFT JOIN identified x ON k.resident_id = x.resident_id
LEFT JOIN named n ON k.resident_id = n.resident_id
