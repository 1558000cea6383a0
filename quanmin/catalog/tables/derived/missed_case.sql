-- What care and laboratories saw, held against the cards of the same resident and disease. A resident who is not known cannot be held against cards: left out.
WITH seen AS (
    SELECT 'stay' AS source_code, s.sender, s.submission, s.line, s.identity_id, i.disease_code, s.principal_diagnosis_code AS evidence_code,
           CAST(s.discharged_at AS DATE) AS found_on, CAST(s.admitted_at AS DATE) AS began_on, s.facility_code
    FROM stay s JOIN disease_icd10 i ON starts_with(s.principal_diagnosis_code, i.prefix) WHERE NOT coalesce(s.is_continuation, FALSE)
    UNION ALL
    SELECT 'visit', v.sender, v.submission, v.line, v.identity_id, i.disease_code, v.diagnosis_code, CAST(v.visited_at AS DATE), CAST(v.visited_at AS DATE), v.facility_code
    FROM visit v JOIN disease_icd10 i ON starts_with(v.diagnosis_code, i.prefix)
    UNION ALL
    SELECT 'laboratory', r.sender, r.submission, r.line, r.identity_id, p.disease_code, r.pathogen_code, r.tested_on, r.tested_on, r.facility_code
    FROM laboratory_result r JOIN disease_pathogen p ON r.pathogen_code = p.pathogen_code WHERE r.is_positive
), known AS (
    SELECT s.*, l.resident_id, l.home_county FROM seen s JOIN resident_link l ON s.identity_id = l.identity_id
), card AS (
    SELECT l.resident_id, c.disease_code, CAST(c.diagnosed_at AS DATE) AS diagnosed_on
    FROM case_report_near c JOIN resident_link l ON c.identity_id = l.identity_id
), alone AS (
    SELECT k.*, row_number() OVER (PARTITION BY k.resident_id, k.disease_code, date_trunc('month', k.found_on) ORDER BY k.found_on, k.source_code, k.submission, k.line) AS place_in_month
    FROM known k
    WHERE NOT EXISTS (SELECT 1 FROM card c WHERE c.resident_id = k.resident_id AND c.disease_code = k.disease_code
                      AND c.diagnosed_on BETWEEN k.began_on - 90 AND k.found_on + 30)
)
SELECT md5('missed ' || k.resident_id || ' ' || k.disease_code || ' ' || CAST(date_trunc('month', k.found_on) AS VARCHAR)) AS missed_case_id, k.source_code, k.sender,
       k.submission, k.line, k.resident_id, k.disease_code, k.evidence_code, k.found_on, k.facility_code, a.facility_county, a.facility_level, k.home_county
FROM alone k LEFT JOIN facility_attributes a ON k.facility_code = a.facility_code
WHERE k.place_in_month = 1 AND coalesce(a.is_in_region, FALSE)
