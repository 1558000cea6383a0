-- Every source in one shape. Cases by home and day of report; tests by the facility that sent the specimen; syndromes by facility; a source without townships has ''.
WITH tests AS (
    SELECT r.pathogen_code, a.facility_county AS county_code, r.tested_on AS counted_on, count(*) FILTER (r.is_positive) AS event_count, count(*) AS base_count
    FROM laboratory_result r JOIN facility_attributes a ON r.facility_code = a.facility_code GROUP BY ALL
), syndromes AS (
    SELECT unnest(['fever', 'influenza_like', 'diarrhoea', 'rash_fever']) AS item_code, unnest(['respiratory', 'respiratory', 'enteric', 'rash']) AS trigger_code,
           a.facility_county AS county_code, s.counted_on, unnest([s.fever_count, s.influenza_like_count, s.diarrhoea_count, s.rash_fever_count]) AS event_count, s.visit_count AS base_count
    FROM syndrome_day s JOIN facility_attributes a ON s.facility_code = a.facility_code
), absences AS (
    SELECT unnest(['absent_respiratory', 'absent_enteric', 'absent_rash']) AS item_code, unnest(['respiratory', 'enteric', 'rash']) AS trigger_code, county_code,
           coalesce(township_code, '') AS township_code, counted_on, unnest([absent_respiratory_count, absent_enteric_count, absent_rash_count]) AS event_count, pupil_count AS base_count
    FROM school_absence_day
), sales AS (
    SELECT unnest(['antipyretic', 'cough_medicine', 'antiviral', 'antidiarrhoeal']) AS item_code, unnest(['respiratory', 'respiratory', 'respiratory', 'enteric']) AS trigger_code,
           county_code, counted_on, unnest([antipyretic_count, cough_medicine_count, antiviral_count, antidiarrhoeal_count]) AS event_count
    FROM pharmacy_sale_day
)
SELECT 'case' AS source_code, disease_code AS item_code, trigger_code, home_county AS county_code, coalesce(home_township, '') AS township_code, reported_on AS counted_on,
       count(*) AS event_count, NULL AS base_count
FROM notifiable_case WHERE NOT is_repeat AND home_county IS NOT NULL AND classification_code <> 'carrier' GROUP BY ALL
UNION ALL
SELECT 'laboratory', t.pathogen_code, d.trigger_code, t.county_code, '', t.counted_on, t.event_count, t.base_count
FROM tests t LEFT JOIN (SELECT p.pathogen_code, min(l.trigger_code) AS trigger_code FROM disease_pathogen p JOIN disease_list l ON p.disease_code = l.code GROUP BY 1) d
     ON t.pathogen_code = d.pathogen_code
UNION ALL
SELECT 'syndrome', item_code, trigger_code, county_code, '', counted_on, sum(event_count), sum(base_count) FROM syndromes GROUP BY ALL
UNION ALL
SELECT 'absence', item_code, trigger_code, county_code, township_code, counted_on, sum(event_count), sum(base_count) FROM absences GROUP BY ALL
UNION ALL
SELECT 'pharmacy', item_code, trigger_code, county_code, '', counted_on, sum(event_count), NULL FROM sales GROUP BY ALL
