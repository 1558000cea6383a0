-- What can only be seen by holding a front page against its own diagnoses and procedures and against the resident's other stays
-- (within three months before it). Overlap: days by which the previous stay of the same resident ends after this one begins.
WITH near AS (
    SELECT s.*, l.resident_id, coalesce(l.resident_id, 'identity ' || s.identity_id) AS who
    FROM stay_near s LEFT JOIN resident_link l ON s.identity_id = l.identity_id
    WHERE NOT coalesce(s.is_continuation, FALSE)
), sequence AS (
    -- Held against the stays discharged in this month and the three before, whatever else is in sight: built by the month or at once, the same.
    SELECT s.submission, s.line, greatest(count(*) FILTER (p.facility_code = s.facility_code AND CAST(p.admitted_at AS DATE) = CAST(s.admitted_at AS DATE)), 1) AS same_admission_count,
           date_diff('day', CAST(s.admitted_at AS DATE), CAST(max(p.discharged_at) FILTER (p.place < s.place) AS DATE)) AS overlap_days,
           date_diff('day', CAST(min(p.discharged_at) FILTER (p.place < s.place AND p.disposition_code = '5') AS DATE), CAST(s.admitted_at AS DATE)) AS days_after_death
    FROM (SELECT *, (admitted_at, discharged_at, submission, line) AS place FROM near) s
    LEFT JOIN (SELECT *, (admitted_at, discharged_at, submission, line) AS place FROM near) p
        ON s.who = p.who AND date_trunc('month', p.discharged_at) BETWEEN date_trunc('month', s.discharged_at) - INTERVAL 3 MONTH AND date_trunc('month', s.discharged_at)
    GROUP BY s.submission, s.line, s.admitted_at
), d AS (
    SELECT submission, line, count(*) AS diagnosis_count, count(DISTINCT diagnosis_code) < count(diagnosis_code) AS has_repeated_diagnosis,
           bool_or(starts_with(diagnosis_code, 'Z37')) AS has_delivery
    FROM stay_diagnosis GROUP BY ALL
), p AS (
    SELECT submission, line, count(*) AS procedure_count, min(performed_at) AS first_performed_at, max(performed_at) AS last_performed_at FROM stay_procedure GROUP BY ALL
)
SELECT 'S' || s.submission || '-' || s.line AS hospitalisation_id, s.sender, s.submission, s.line, stay_subject(s.facility_code, s.case_number, s.admission_number, s.discharged_at) AS subject_key, s.facility_code, coalesce(a.facility_county, s.facility_county_code) AS facility_county,
       s.case_number, s.admitted_at, s.discharged_at, s.sex_code, s.birth_date, s.age_years, s.age_days, s.disposition_code, q.same_admission_count, greatest(q.overlap_days, 0) AS overlap_days,
       q.days_after_death, coalesce(d.diagnosis_count, 0) AS diagnosis_count, coalesce(p.procedure_count, 0) AS procedure_count, s.external_cause_code IS NOT NULL AS has_external_cause,
       regexp_matches(s.principal_diagnosis_code, '^[ST]') AS has_injury_principal, regexp_matches(s.principal_diagnosis_code, '^(C|D[0-3]|D4[0-8])') AS has_tumour_principal,
       coalesce(d.has_delivery, FALSE) AS has_delivery, coalesce(d.has_repeated_diagnosis, FALSE) AS has_repeated_diagnosis,
       CAST(p.first_performed_at AS DATE) < CAST(s.admitted_at AS DATE) AS operation_before_admission, CAST(p.last_performed_at AS DATE) > CAST(s.discharged_at AS DATE) AS operation_after_discharge,
       CAST(coalesce(s.general_service_cny, 0) + coalesce(s.general_treatment_cny, 0) + coalesce(s.nursing_cny, 0) + coalesce(s.other_service_cny, 0) + coalesce(s.pathology_cny, 0)
          + coalesce(s.laboratory_cny, 0) + coalesce(s.imaging_cny, 0) + coalesce(s.clinical_diagnosis_cny, 0) + coalesce(s.nonsurgical_treatment_cny, 0) + coalesce(s.surgical_treatment_cny, 0)
          + coalesce(s.rehabilitation_cny, 0) + coalesce(s.tcm_treatment_cny, 0) + coalesce(s.western_drug_cny, 0) + coalesce(s.patent_tcm_drug_cny, 0) + coalesce(s.herbal_drug_cny, 0)
          + coalesce(s.blood_cny, 0) + coalesce(s.albumin_cny, 0) + coalesce(s.globulin_cny, 0) + coalesce(s.clotting_factor_cny, 0) + coalesce(s.cytokine_cny, 0)
          + coalesce(s.examination_material_cny, 0) + coalesce(s.treatment_material_cny, 0) + coalesce(s.operation_material_cny, 0) + coalesce(s.other_cny, 0) AS DECIMAL(14, 2)) AS parts_cny,
       s.total_charge_cny, s.resident_id IS NOT NULL AS is_resident_known
FROM near s
JOIN sequence q ON s.submission = q.submission AND s.line = q.line
LEFT JOIN d ON s.submission = d.submission AND s.line = d.line
LEFT JOIN p ON s.submission = p.submission AND s.line = p.line
LEFT JOIN facility_attributes a ON s.facility_code = a.facility_code
