-- Front pages discharged in the months $first to $last with a charge: their codes in the order of the front page, the principal first, as stay_group.sql gives them.
WITH kept AS (
    SELECT hospitalisation_id, total_charge_cny, stay_days, died FROM hospitalisation
    WHERE origin = 'front_page' AND total_charge_cny > 0 AND strftime(discharged_on, '%Y-%m') BETWEEN $first AND $last
), said AS (
    SELECT facility_code, case_number, admission_number, discharged_at, is_continuation, arg_min(diagnosis_code, diagnosis_order) AS code
    FROM stay_diagnosis WHERE diagnosis_code IS NOT NULL GROUP BY ALL
), done AS (
    SELECT facility_code, case_number, admission_number, discharged_at, is_continuation, list(procedure_code ORDER BY procedure_order) AS codes
    FROM stay_procedure WHERE procedure_code IS NOT NULL GROUP BY ALL
)
SELECT CASE WHEN coalesce(s.principal_diagnosis_code, said.code) IS NULL THEN [] ELSE [coalesce(s.principal_diagnosis_code, said.code)] END AS diagnoses,
       coalesce(done.codes, []) AS procedures, CAST(kept.total_charge_cny AS DOUBLE) AS charge, CAST(kept.stay_days AS DOUBLE) AS days, coalesce(kept.died, FALSE) AS died
FROM kept JOIN stay s ON kept.hospitalisation_id = 'S' || s.submission || '-' || s.line
LEFT JOIN said USING (facility_code, case_number, admission_number, discharged_at, is_continuation)
LEFT JOIN done USING (facility_code, case_number, admission_number, discharged_at, is_continuation)
