-- The cases as the grouper takes them: diagnoses and procedures in the order of the front page, the principal first.
WITH said AS (
    SELECT facility_code, case_number, admission_number, discharged_at, is_continuation, list(diagnosis_code ORDER BY diagnosis_order) AS codes
    FROM stay_diagnosis WHERE diagnosis_code IS NOT NULL GROUP BY ALL
), done AS (
    SELECT facility_code, case_number, admission_number, discharged_at, is_continuation, list(procedure_code ORDER BY procedure_order) AS codes
    FROM stay_procedure WHERE procedure_code IS NOT NULL GROUP BY ALL
)
SELECT 'S' || s.submission || '-' || s.line AS hospitalisation_id, s.sender, s.submission, s.line, s.facility_code, CAST(s.discharged_at AS DATE) AS discharged_on,
       s.sex_code AS sex, s.age_years, s.age_days, s.birth_weight_grams AS birth_weight_g,
       CASE WHEN said.codes[1] IS DISTINCT FROM s.principal_diagnosis_code AND s.principal_diagnosis_code IS NOT NULL
            THEN list_prepend(s.principal_diagnosis_code, list_filter(coalesce(said.codes, []), lambda code: code <> s.principal_diagnosis_code))
            ELSE coalesce(said.codes, []) END AS diagnoses,
       coalesce(done.codes, []) AS procedures
FROM stay s
LEFT JOIN said USING (facility_code, case_number, admission_number, discharged_at, is_continuation)
LEFT JOIN done USING (facility_code, case_number, admission_number, discharged_at, is_continuation)
UNION ALL
SELECT 'C' || c.submission || '-' || c.line, c.sender, c.submission, c.line, c.facility_code, c.discharged_on, c.sex_code,
       CAST(age_on(c.birth_date, coalesce(c.admitted_on, c.discharged_on)) AS BIGINT),
       CASE WHEN age_on(c.birth_date, coalesce(c.admitted_on, c.discharged_on)) = 0 THEN date_diff('day', c.birth_date, coalesce(c.admitted_on, c.discharged_on)) END,
       NULL, CASE WHEN c.diagnosis_code IS NULL THEN [] ELSE [c.diagnosis_code] END, CASE WHEN c.procedure_code IS NULL THEN [] ELSE [c.procedure_code] END
FROM claim c WHERE c.kind_code = 'inpatient'
