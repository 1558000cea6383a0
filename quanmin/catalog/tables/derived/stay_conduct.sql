-- How a stay was conducted, as rules of supervision ask for it: its front page with its group, and the resident's stays of the three months before
-- (settlements from elsewhere among them). Held against what is discharged in this month and the three before, whatever else is in sight.
WITH placed AS (
    SELECT *, left(principal_diagnosis_code, 3) AS disease, (admitted_on, discharged_on, hospitalisation_id) AS place FROM hospitalisation_near WHERE resident_id IS NOT NULL
), before AS (
    SELECT s.hospitalisation_id,
           min(s.admitted_on - p.discharged_on) FILTER (p.facility_code = s.facility_code AND p.discharged_on <= s.admitted_on) AS days_since_same_facility,
           min(s.admitted_on - p.discharged_on) FILTER (p.facility_code <> s.facility_code AND p.discharged_on <= s.admitted_on) AS days_since_other_facility,
           min(s.admitted_on - p.discharged_on) FILTER (p.facility_code = s.facility_code AND p.discharged_on <= s.admitted_on AND p.disease = s.disease) AS days_since_same_disease,
           count(*) FILTER (p.facility_code = s.facility_code AND p.disease = s.disease AND s.admitted_on - p.discharged_on BETWEEN 0 AND 90) AS same_disease_stays_90_days,
           arg_max(struct_pack(disposition := p.disposition_code, planned := p.readmission_planned, charge := p.total_charge_cny, days := p.stay_days, ratio := p.charge_to_norm), p.place)
               FILTER (p.facility_code = s.facility_code AND p.discharged_on <= s.admitted_on) AS previous,
           arg_max(struct_pack(disposition := p.disposition_code, referred := p.has_referral), p.place) FILTER (p.facility_code <> s.facility_code AND p.discharged_on <= s.admitted_on) AS other,
           max(least(p.discharged_on, s.discharged_on) - s.admitted_on) FILTER (p.facility_code <> s.facility_code AND p.discharged_on > s.admitted_on) AS days_in_other_facility,
           max(least(p.discharged_on, s.discharged_on) - s.admitted_on) FILTER (p.facility_code = s.facility_code AND p.discharged_on > s.admitted_on AND p.admitted_on < s.admitted_on) AS days_twice_here
    FROM placed s JOIN placed p ON s.resident_id = p.resident_id AND p.place < s.place
        AND date_trunc('month', p.discharged_on) BETWEEN date_trunc('month', s.discharged_on) - INTERVAL 3 MONTH AND date_trunc('month', s.discharged_on)
    GROUP BY s.hospitalisation_id
), said AS (
    SELECT submission, line, string_agg(diagnosis_code, ' ' ORDER BY diagnosis_order) AS diagnoses, count(*) AS diagnosis_count FROM stay_diagnosis WHERE diagnosis_code IS NOT NULL GROUP BY ALL
), done AS (
    SELECT submission, line, string_agg(procedure_code, ' ' ORDER BY procedure_order) AS procedures, count(*) AS procedure_count,
           count(*) FILTER (operation_level_code IN ('1', '2', '3', '4')) AS operation_count, string_agg(DISTINCT anaesthesia_code, ' ' ORDER BY anaesthesia_code) AS anaesthesia,
           count(*) FILTER (operation_level_code IN ('1', '2', '3', '4') AND surgeon IS NULL) AS operations_without_surgeon, max(CAST(performed_at AS DATE)) AS last_performed_on
    FROM stay_procedure WHERE procedure_code IS NOT NULL GROUP BY ALL
)
SELECT h.hospitalisation_id, h.sender, h.submission, h.line, stay_subject(s.facility_code, s.case_number, s.admission_number, s.discharged_at) AS subject_key,
       h.facility_code, h.facility_county, h.facility_level, h.facility_type_code, h.is_public, h.is_primary_care, h.department_code, h.admitted_on, h.discharged_on, h.stay_days,
       h.sex_code, h.age_years, s.age_days, h.is_newborn, s.admission_route_code, h.disposition_code, h.payment_method_code, h.is_insured, h.principal_diagnosis_code,
       coalesce(said.diagnoses, '') AS diagnoses, coalesce(said.diagnosis_count, 0) AS diagnosis_count, coalesce(done.procedures, '') AS procedures,
       coalesce(done.procedure_count, 0) AS procedure_count, coalesce(done.operation_count, 0) AS operation_count, coalesce(done.anaesthesia, '') AS anaesthesia,
       coalesce(done.operations_without_surgeon, 0) AS operations_without_surgeon, date_diff('day', done.last_performed_on, h.discharged_on) AS days_after_operation,
       h.highest_operation_level, h.mdc, h.adrg, h.drg, h.cc_level, h.relative_weight, h.charge_to_norm, h.days_to_norm, h.total_charge_cny, h.self_paid_cny,
       CAST(h.total_charge_cny / nullif(h.stay_days, 0) AS DECIMAL(18, 2)) AS charge_per_day_cny, s.general_service_cny, s.nursing_cny, s.pathology_cny, s.laboratory_cny, s.imaging_cny,
       s.pathology_cny + s.laboratory_cny + s.imaging_cny + s.clinical_diagnosis_cny AS examination_cny,
       s.general_treatment_cny + s.nonsurgical_treatment_cny + s.surgical_treatment_cny + s.rehabilitation_cny + s.tcm_treatment_cny AS treatment_cny,
       s.surgical_treatment_cny, s.anaesthesia_cny, s.operation_cny, s.rehabilitation_cny, s.tcm_treatment_cny, h.drug_charge_cny, s.antibiotic_cny, s.blood_cny, s.albumin_cny,
       h.material_charge_cny, s.operation_material_cny, b.days_since_same_facility, b.days_since_other_facility, b.days_since_same_disease,
       coalesce(b.same_disease_stays_90_days, 0) AS same_disease_stays_90_days, b.previous.disposition AS previous_disposition_code, b.previous.planned AS was_planned,
       b.previous.charge AS previous_charge_cny, b.previous.days AS previous_stay_days, b.previous.ratio AS previous_charge_to_norm, b.other.disposition AS other_disposition_code,
       h.has_referral, coalesce(b.days_in_other_facility, 0) AS days_in_other_facility, coalesce(b.days_twice_here, 0) AS days_twice_here,
       date_diff('day', l.died_on, h.admitted_on) AS days_after_registered_death, h.resident_id IS NOT NULL AS is_resident_known
FROM hospitalisation h
JOIN stay s ON h.submission = s.submission AND h.line = s.line AND h.origin = 'front_page'
LEFT JOIN resident_link l ON s.identity_id = l.identity_id
LEFT JOIN before b ON h.hospitalisation_id = b.hospitalisation_id
LEFT JOIN said ON h.submission = said.submission AND h.line = said.line
LEFT JOIN done ON h.submission = done.submission AND h.line = done.line
