-- One row per procedure with what its stay adds. A procedure counts as an operation when the front page gives it an operation level
-- (the layout demands a level for operations and interventions only). Elective: not admitted as an emergency.
SELECT 'S' || s.submission || '-' || s.line AS hospitalisation_id, s.sender, s.submission, s.line, p.procedure_order, p.procedure_code,
       TRY_CAST(p.operation_level_code AS INTEGER) AS operation_level,
       coalesce(p.operation_level_code IN ('1', '2', '3', '4'), FALSE) AS is_operation,
       coalesce(p.operation_level_code IN ('1', '2', '3', '4') AND regexp_matches(p.procedure_name, '镜|经皮|介入'), FALSE) AS is_minimal_invasive,
       s.admission_route_code <> '1' AS is_elective,
       CASE left(p.incision_healing_code, 1) WHEN '0' THEN 0 WHEN 'Ⅰ' THEN 1 WHEN 'Ⅱ' THEN 2 WHEN 'Ⅲ' THEN 3 END AS incision_class,
       nullif(split_part(p.incision_healing_code, '/', 2), '') AS healing_grade,
       p.anaesthesia_code, CAST(p.performed_at AS DATE) AS performed_on, CAST(s.admitted_at AS DATE) AS admitted_on, CAST(s.discharged_at AS DATE) AS discharged_on,
       s.stay_days, coalesce(x.infected, FALSE) AS has_incision_infection, s.disposition_code = '5' AS died,
       l.resident_id, coalesce(l.home_county, left(s.home_region_code, 6)) AS home_county, l.home_township, s.sex_code, s.age_years, age_band_of(s.age_years) AS age_band,
       s.facility_code, coalesce(a.facility_name, s.facility_name) AS facility_name, coalesce(a.facility_county, s.facility_county_code) AS facility_county, a.facility_level,
       a.facility_type_code, a.is_public, a.is_primary_care, a.is_in_region, a.community_code, a.is_community_lead
FROM stay_procedure p
JOIN stay s ON p.facility_code = s.facility_code AND p.case_number = s.case_number AND p.admission_number = s.admission_number AND p.discharged_at = s.discharged_at AND p.is_continuation = s.is_continuation
LEFT JOIN (
    SELECT submission, line, bool_or(starts_with(diagnosis_code, 'T81.4') AND present_on_admission_code = '4') AS infected FROM stay_diagnosis GROUP BY ALL
) x ON s.submission = x.submission AND s.line = x.line
LEFT JOIN resident_link l ON s.identity_id = l.identity_id
LEFT JOIN facility_attributes a ON s.facility_code = a.facility_code
WHERE NOT coalesce(s.is_continuation, FALSE)
