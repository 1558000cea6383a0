-- One row per diagnosis with what its stay adds. Arose in hospital: present-on-admission code 4 (no).
SELECT 'S' || s.submission || '-' || s.line AS hospitalisation_id, s.sender, s.submission, s.line, d.diagnosis_order, d.diagnosis_code, d.present_on_admission_code,
       d.present_on_admission_code = '4' AS is_hospital_acquired, CAST(s.admitted_at AS DATE) AS admitted_on, CAST(s.discharged_at AS DATE) AS discharged_on,
       coalesce(c.has_operation, FALSE) AS has_operation, starts_with(s.principal_diagnosis_code, 'O') AS is_obstetric,
       coalesce(s.age_days <= 28, FALSE) AS is_newborn, s.age_days, s.disposition_code = '5' AS died,
       l.resident_id, coalesce(l.home_county, left(s.home_region_code, 6)) AS home_county, l.home_township, s.sex_code, s.age_years, age_band_of(s.age_years) AS age_band,
       s.facility_code, coalesce(a.facility_name, s.facility_name) AS facility_name, coalesce(a.facility_county, s.facility_county_code) AS facility_county, a.facility_level,
       a.facility_type_code, a.is_public, a.is_primary_care, a.is_in_region, a.community_code, a.is_community_lead
FROM stay_diagnosis d
JOIN stay s ON d.facility_code = s.facility_code AND d.case_number = s.case_number AND d.admission_number = s.admission_number AND d.discharged_at = s.discharged_at AND d.is_continuation = s.is_continuation
LEFT JOIN (
    SELECT submission, line, count(*) FILTER (operation_level_code IN ('1', '2', '3', '4')) > 0 AS has_operation FROM stay_procedure GROUP BY ALL
) c ON s.submission = c.submission AND s.line = c.line
LEFT JOIN resident_link l ON s.identity_id = l.identity_id
LEFT JOIN facility_attributes a ON s.facility_code = a.facility_code
WHERE NOT coalesce(s.is_continuation, FALSE)
